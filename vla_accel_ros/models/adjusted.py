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

"""How a policy is run, as it may be changed between two inferences."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.decoding import RELAXED_BINS
from vla_accel_ros.decoding.registry import create as create_decoder
from vla_accel_ros.engines.interface import Engine
from vla_accel_ros.engines.meeting import Seat
from vla_accel_ros.models.heads.continuation import Continuation
from vla_accel_ros.models.heads.drafts import GIVEN, SOURCES
from vla_accel_ros.models.heads.flow_config import MOST_STEPS
from vla_accel_ros.models.heads.interface import ActionHead
from vla_accel_ros.models.in_use import EngineSlot, InUse
from vla_accel_ros.models.pruner_slot import PrunerSlot


class Adjusted:
    """What holds from the next inference on: pruning, decoding, steps of a flow, the engine."""

    _pruners: PrunerSlot
    _head: ActionHead
    _engine: EngineSlot
    _answered: np.ndarray | None

    def set_pruning(self, method: str, **parameters) -> None:
        """Choose how visual tokens are pruned, from the next inference on.

        Args:
            method: One of `pruning.registry.METHODS`.
            parameters: Its parameters, defaults for those left out.

        Raises:
            ValueError: When the method or a parameter is unknown, out of range, or does not
                fit the model; what was in use then stays.
        """
        self._pruners.choose(method, **parameters)

    def set_decoder(self, name: str, relaxed_bins: int = RELAXED_BINS, draft: str = GIVEN) -> None:
        """Choose how tokens are decoded, from the next inference on.

        It makes no difference where a head decodes no tokens.

        Args:
            name: One of `decoding.registry.DECODERS`.
            relaxed_bins: Largest move, in bins, that `relaxed` takes for none.
            draft: What is verified: the one `given` to `predict`, the `previous` answer, `none`.

        Raises:
            ValueError: When a value is unknown or out of range; what was in use then stays.
        """
        if draft not in SOURCES:
            raise ValueError(f"draft is '{draft}', expected one of {', '.join(SOURCES)}")
        self._head.decode_by(create_decoder(name, relaxed_bins), draft)

    def set_flow(self, steps: int = 0, bend: float = 0.0) -> None:
        """Choose the steps of a flow, from the next inference on.

        It makes no difference where a head denoises nothing.

        Args:
            steps: How many; 0 for as many as the checkpoint was made for.
            bend: Largest bend of the path, 1 - the cosine between the velocities of two steps, at
                which the rest is taken in one step; 0 for never.

        Raises:
            ValueError: When a value is out of range; what was in use then stays.
        """
        if not 0 <= steps <= MOST_STEPS or not 0 <= bend <= 2:
            raise ValueError(
                f'{steps} steps and a bend of {bend}, expected 0 to {MOST_STEPS} and 0 to 2'
            )
        self._head.flow_by(steps, bend)

    def set_continuation(self, **settings) -> None:
        """Choose what a new chunk takes from the old one, from the next inference on.

        It makes no difference where a head denoises nothing.

        Args:
            settings: Fields of `Continuation`, defaults for those left out.

        Raises:
            ValueError: When a value is out of range; what was in use then stays.
        """
        self._head.continue_by(Continuation(**settings))

    def set_engine(self, engine: Engine) -> None:
        """Choose what runs the model's programs, from the next inference on; eager until then.

        `engine_choice.use_engine` also compares it with eager, and has eager stand behind it.
        """
        self.run_on(InUse(engine=engine, weights=self.in_use.weights))

    def run_on(self, in_use: InUse) -> None:
        """Choose what runs the model's programs, with what is said of it."""
        self._engine.run_on(in_use)

    def meet(self) -> None:
        """Have programs joined with those of others where it answers at a `Meeting`."""
        self._engine.sit(Seat)

    @property
    def in_use(self) -> InUse:
        """What runs the model's programs."""
        return self._engine.in_use

    def assume_previous(self, token_ids: np.ndarray) -> None:
        """Let the draft `previous` be these tokens int64 [7], as if they had been answered."""
        self._head.assume_previous(token_ids)

    def reset(self) -> None:
        """Begin an episode, at the next inference."""
        self._pruners.reset()
        self._head.reset()
        self._answered = None

    def renew(self) -> None:
        """Begin for somebody else: an engine that gave NaN for the one before is tried again."""
        self.run_on(self._engine.chosen)
        self.reset()
