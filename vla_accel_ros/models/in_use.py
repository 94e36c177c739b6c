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

"""What runs a policy, and why it is not what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch

from vla_accel_ros.engines import registry
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.fallback import Fallback
from vla_accel_ros.engines.interface import Engine
from vla_accel_ros.engines.wish import EAGER as EAGER_WISH
from vla_accel_ros.engines.wish import WEIGHTS, EngineWish
from vla_accel_ros.models.prediction import NotFiniteError

Answer = TypeVar('Answer')
NOT_FINITE = 'it gave NaN or infinity where eager gives numbers'


@dataclass(frozen=True)
class InUse:
    """What runs a policy, and why it is not what was asked for.

    Attributes:
        wish: What was asked for.
        engine: What runs.
        weights: Type of the weights, in which eager computes.
        reason: Why this is not the engine that was asked for; empty where it is.
        hint: What could be done to make it faster; empty without any.
        device: What the engine was told to run on; empty for its first device.
    """

    wish: EngineWish = EAGER_WISH
    engine: Engine = EAGER
    weights: str = 'float32'
    reason: str = ''
    hint: str = ''
    device: str = ''

    @property
    def name(self) -> str:
        """The name of what runs."""
        return self.engine.name

    @property
    def as_asked(self) -> bool:
        """Whether the engine that was asked for runs, on the device and in the precision."""
        wish = self.wish
        same = (self.name, self.device) == (wish.engine, wish.device)
        return same and wish.engine_precision in (WEIGHTS, self.precision)

    @property
    def asked(self) -> str:
        """What was asked for, in few words."""
        precision = self.wish.engine_precision
        return self.wish.title + ('' if precision == WEIGHTS else f' in {precision}')

    @property
    def precision(self) -> str:
        """What it computes in."""
        return self.weights if self.engine is EAGER else self.engine.precision

    @property
    def trouble(self) -> str:
        """Why something does not run where it was to, in one line; empty where all does."""
        reasons = [self.reason] if self.reason else []
        if isinstance(self.engine, Fallback):
            behind = self.engine.behind.name
            # Inference may add one meanwhile.
            for program, why in [*self.engine.reasons.items(), *self.engine.left.items()]:
                reasons.append(f'{program} runs on {behind}: {why}')
        first = getattr(self.engine, 'first', self.engine)
        notes = getattr(first, 'notes', {})
        reasons += [f'{program} runs on {what}' for program, what in [*notes.items()]]
        return '; '.join(reasons)

    def __str__(self) -> str:
        trouble, fewer = self.trouble, self.wish.engine_precision != WEIGHTS
        words = registry.titled(self.name, self.device)
        # A precision that was asked for, or lost, is always told.
        if self.precision != self.weights or (self.reason and fewer):
            words += f' in {self.precision}'
        if self.reason:
            return f'{words} (asked: {self.asked}; {trouble})'
        return f'{words} ({trouble})' if trouble else words

    def facts(self) -> dict[str, str]:
        """Give it for a report: `name`, `precision`, `device`, `asked` and `reason`."""
        return {
            'name': self.name,
            'precision': self.precision,
            'device': self.device,
            'asked': self.asked,
            'reason': self.trouble,
        }


def _itself(engine: Engine) -> Engine:
    return engine


class EngineSlot:
    """The engine in use, changed between two inferences and never within one.

    Args:
        set_engine: Hands an engine to what infers, which begins with eager.
        weights: Type of the weights.

    Attributes:
        in_use: What runs, and why.
        chosen: What `run_on` was given last: not what took its place where it gave NaN.
    """

    def __init__(self, set_engine: Callable[[Engine], None], weights: torch.dtype) -> None:
        self._hand_over = set_engine
        self._at: Callable[[Engine], Engine] = _itself
        self.in_use = self.chosen = InUse(weights=str(weights).removeprefix('torch.'))

    def run_on(self, in_use: InUse) -> None:
        """Run on an engine from the next inference on."""
        self.in_use = self.chosen = in_use
        self._set(in_use.engine)

    def sit(self, at: Callable[[Engine], Engine]) -> None:
        """Hand engines over as a function gives them, such as `engines.meeting.Seat`."""
        self._at = at
        self._set(self.in_use.engine)

    def _set(self, engine: Engine) -> None:
        self._hand_over(self._at(engine))

    def answer(self, ask: Callable[[], Answer], forget: Callable[[], None]) -> Answer:
        """Ask; where an engine gives NaN and eager does not, stay with eager.

        Args:
            ask: Infers on the engine that was handed over last.
            forget: Called before it is asked once more.

        Raises:
            NotFiniteError: When eager gives NaN as well, or the engine was required.
        """
        before = self.in_use
        try:
            return ask()
        except NotFiniteError:
            if before.engine is EAGER or before.wish.engine_required:
                raise
        forget()
        self._set(EAGER)
        try:
            answer = ask()
        except NotFiniteError:
            # The model or the observation is no good, not the engine.
            self._set(before.engine)
            raise
        reason = '; '.join(filter(None, (before.reason, f'{before.name}: {NOT_FINITE}')))
        self.in_use = replace(before, engine=EAGER, device='', reason=reason)
        return answer
