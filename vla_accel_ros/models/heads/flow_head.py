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

"""The head of models that denoise a chunk of actions over the keys and values of a prefix."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines import host
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.flow import FlowNetwork, conditions
from vla_accel_ros.layers.flow_time import embed_times, euler_times
from vla_accel_ros.models.action_tokens import ActionStatistics
from vla_accel_ros.models.heads.continuation import OFF, PREFIX, Continuation
from vla_accel_ros.models.heads.flow import answer_flow
from vla_accel_ros.models.heads.flow_config import FlowConfig
from vla_accel_ros.models.heads.flow_steps import Plan, noise_of
from vla_accel_ros.models.heads.interface import ActionHead, Ask, HeadAnswer, HeadStats, NewCache
from vla_accel_ros.models.heads.reading import read_numbers
from vla_accel_ros.models.heads.real_time import Guide
from vla_accel_ros.models.inference import Watch
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.registry import create


@dataclass
class _Known:
    """What was computed of the times of a number of steps, on an engine."""

    key: tuple[object, ...] = ()
    times: tuple[float, ...] = ()
    step: float = -1.0
    conditions: Tensor = field(default_factory=lambda: torch.empty(0))
    clean: Tensor = field(default_factory=lambda: torch.empty(0))


class FlowHead(ActionHead):
    """See `ActionHead`.

    The noise of an answer depends on its number since the beginning of the episode, and on
    nothing else, so that an episode can be run again.

    Args:
        model: With the weights.
        statistics: Of the data set.
        network: What denoises, a part of the model.
    """

    SEED = 1

    def __init__(self, model: VLA, statistics: ActionStatistics, network: FlowNetwork) -> None:
        super().__init__(model, statistics)
        self.network = network
        self._config: FlowConfig = model.config.head
        self._steps, self._bend = 0, 0.0
        self._number = 0
        self._known = _Known()
        self._continuation = Continuation()
        self._last: Tensor | None = None

    def flow_by(self, steps: int, bend: float) -> None:
        """Choose the steps from the next answer on; see `ActionHead.flow_by`."""
        self._steps, self._bend = steps, bend

    def continue_by(self, settings: Continuation) -> None:
        """Choose what a chunk takes from the one before; see `ActionHead.continue_by`."""
        if settings.rtc == PREFIX and not self._config.prefix_rows:
            raise ValueError(
                f"rtc is '{PREFIX}', but this checkpoint was not trained to go on from given rows "
                '(prefix_rows is 0)'
            )
        self._continuation = settings

    def reset(self) -> None:
        """Begin with the first noise again, and with no chunk before."""
        self._number, self._last = 0, None

    def answer(
        self, ask: Ask, pruner: Pruner, new_cache: NewCache, watch: Watch = nullcontext
    ) -> HeadAnswer:
        """Answer a chunk; see `ActionHead.answer`."""
        answer, self._last = self._answer(ask, pruner, new_cache, watch, self._last)
        self._number += 1
        return answer

    def rehearse(self, ask: Ask, pruner: Pruner, new_cache: NewCache) -> None:
        """Run all programs; see `ActionHead.rehearse`."""
        _, last = self._answer(ask, pruner, new_cache, nullcontext, None)
        if self._continuation.rtc == PREFIX:
            again = replace(ask, left=1, delay=1)
            self._answer(again, pruner, new_cache, nullcontext, last)

    def _answer(
        self, ask: Ask, pruner: Pruner, new_cache: NewCache, watch: Watch, last: Tensor | None
    ) -> tuple[HeadAnswer, Tensor]:
        plan = self.plan(self.noise(), self._steps or self._config.steps, self._bend)
        plan = self._continued(plan, ask, last)
        found = answer_flow(
            self.model, self.network, ask, pruner, plan, new_cache, watch, self.engine
        )
        with watch('detokenise'):
            numbers = read_numbers(found.numbers[0])
            actions = numbers[:, : self.model.config.action_dims].astype(np.float64)
        return HeadAnswer(actions, 0, HeadStats(1, found.kept_ids, found.work)), found.numbers

    def _continued(self, plan: Plan, ask: Ask, last: Tensor | None) -> Plan:
        """Have a plan go on from what is left of the last answer, as the settings say."""
        settings = self._continuation
        if last is None or not ask.left:
            return plan
        old = last[:, -ask.left :].to(plan.begin)
        if settings.flow_warm > 0:
            plan = plan.from_old(old, settings.flow_warm)
        if settings.rtc == OFF:
            return plan
        if settings.rtc == PREFIX:
            rows = min(ask.delay, self._config.prefix_rows)
            return plan.behind(old[:, :rows], self._known.clean) if rows else plan
        guide = Guide.towards(
            old, settings.rtc, ask.delay, settings.rtc_rows, settings.rtc_weight, plan.begin
        )
        return replace(plan, guide=guide)

    def noise(self) -> Tensor:
        """Give the noise [1, chunk, numbers] of the next answer, where the model is."""
        shape = (1, self._config.chunk, self._config.numbers)
        kind = torch.promote_types(self.model.dtype, torch.float32)
        return host.send(noise_of(self.SEED, self._number, shape).to(kind), self.model.device)

    def plan(self, begin: Tensor, steps: int, bend: float = 0.0) -> Plan:
        """Make the plan of an answer; what times give is kept until steps or engine are others.

        Args:
            begin: [1, chunk, numbers], noise.
            steps: Steps.
            bend: See `flow_steps.Plan`.
        """
        config, key = self._config, (self.engine, steps)
        if self._known.key != key:
            times, step = euler_times(steps, how=config.times)
            made = self.conditions([*times, 0.0])
            self._known = _Known(key, tuple(times), step, made[:steps], made[steps])
        known = self._known
        return Plan(begin, known.times, known.step, known.conditions, bend)

    def conditions(self, times: list[float]) -> Tensor:
        """Give what the network makes of times, [n, ...]."""
        config, width = self._config, self.network.width
        embedded = embed_times(
            torch.tensor(times, dtype=torch.float64, device='cpu'),
            width,
            config.shortest_period,
            config.longest_period,
        )
        embedded = embedded.to(torch.promote_types(self.model.dtype, torch.float32))
        given = {'embedded': host.send(embedded, self.model.device)}
        return call(self.engine, conditions(self.network), given)['conditions']

    def first_numbers(self, ask: Ask, new_cache: NewCache) -> Tensor:
        """Give the velocities of the first action."""
        pruner = create('none', layout_of(self.model.config))
        plan = self.plan(self.noise(), 1)
        found = answer_flow(self.model, self.network, ask, pruner, plan, new_cache)
        velocities = (plan.begin.cpu() - found.numbers.cpu())[0]
        return next(iter(velocities)).float()
