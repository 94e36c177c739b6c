# Copyright 2026 The vla_accel_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The planner's part of an inference: asked before the pruner, told afterwards."""

from __future__ import annotations

from vla_accel_ros.engines.interface import Engine
from vla_accel_ros.engines.planner import Planner
from vla_accel_ros.layers.cache import CacheLender
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.token_costs import kept_or_measured
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.buckets import Buckets


def sizes_of(config: VLAConfig) -> tuple[int, ...]:
    """Give the counts of visual tokens, of all cameras, that a model is timed with."""
    layout = layout_of(config)
    return tuple(layout.cameras * size for size in Buckets(layout.tokens).sizes)


class Plans:
    """Give a pruner the planner of the engine in use, where its parameters ask for one.

    Args:
        model: The model.
        caches: Memory for keys and values, lent while nothing is answered.
    """

    def __init__(self, model: VLA, caches: CacheLender) -> None:
        self._model, self._caches = model, caches
        self._engine: Engine | None = None
        self._planner: Planner | None = None

    def planner(self, engine: Engine, pruner: Pruner) -> Planner:
        """Give the planner for an engine, made when the first pruner asks for it.

        Making it takes a second where nothing was measured on this machine before.

        Raises:
            EngineError: When the engine cannot run the model.
        """
        if self._planner is None or self._engine is not engine:
            sizes = sizes_of(self._model.config)
            costs = kept_or_measured(self._model, engine, self._caches, sizes)
            self._planner, self._engine = Planner(costs, pruner.layout.total, sizes), engine
        return self._planner

    def attach(self, pruner: Pruner, engine: Engine) -> None:
        """Let a pruner ask the planner, or nobody, in the inference that begins now."""
        wanted = pruner.parameters.planner
        pruner.planner = self.planner(engine, pruner) if wanted else None

    def learn(self, pruner: Pruner, choice_ms: float, work: Workload) -> str:
        """Take in what an inference took.

        Args:
            pruner: That of the inference.
            choice_ms: What choosing tokens took.
            work: What the model did.

        Returns:
            What the planner says of the method now, empty where it was not asked.
        """
        if pruner.planner is None or self._planner is None:
            return ''
        if pruner.reason == 'pruned':
            projected = pruner.layout.total if work.projected is None else work.projected
            self._planner.learn(pruner.key, choice_ms, work.visual, projected)
        return self._planner.said(pruner.key, not pruner.remembers)
