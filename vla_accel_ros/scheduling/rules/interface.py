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

"""Rules that tell an intuitive step, for the predictor, from a deliberative one, for the VLA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.options import check_options, option, shared
from vla_accel_ros.scheduling.buffer import ActionBuffer

# m/s, the least horizontal speed that the rule planar divides by.
FLOOR = 1e-4


class Verdict(NamedTuple):
    """What a rule says of the next step.

    Attributes:
        intuitive: Whether the predictor may take it.
        reason: Why, a stable name.
    """

    intuitive: bool
    reason: str


class Rule(Protocol):
    """What the scheduler needs of a rule."""

    def judge(self, buffer: ActionBuffer, step_s: float, since: int | None = None) -> Verdict:
        """Judge the next step.

        Args:
            buffer: The last actions.
            step_s: Duration of a step, seconds.
            since: Steps before this one since the VLA last looked, where a chunk of its goes on;
                None where a predictor would act, `buffer.steps_since_vla` after the VLA.
        """

    def learn(
        self,
        expected: np.ndarray | None,
        answer: np.ndarray,
        steps_since_vla: int,
        step_s: float,
        space: ActionSpace,
    ) -> None:
        """Take note of what the VLA did with a step; most rules learn nothing.

        Args:
            expected: float64 [width], what the predictor would have done; None when it had
                nothing to say, or was not asked.
            answer: float64 [width], what the VLA did; finite.
            steps_since_vla: Steps before this one since the VLA's last action, or since its last
                look where the rest of a chunk stood in the predictor's place.
            step_s: Duration of a step, seconds.
            space: What the columns of both are.
        """


RULES: dict[str, Callable[..., Rule]] = {}


def register(name: str) -> Callable[[type], type]:
    """Make a rule class known by a name."""

    def remember(factory: type) -> type:
        RULES[name] = factory
        return factory

    return remember


def make_rule(name: str, **options: Any) -> Rule:
    """Build the rule of that name.

    Raises:
        ValueError: When there is no rule of that name, or an option is out of range.
    """
    if name not in RULES:
        raise ValueError(f"rule is '{name}', expected one of {sorted(RULES)}")
    return RULES[name](**options)


@register('never')
@dataclass(frozen=True)
class Never(Rule):
    """Nothing is intuitive: every step asks the VLA, the unaccelerated baseline."""

    def judge(self, buffer: ActionBuffer, step_s: float, since: int | None = None) -> Verdict:
        """Judge the next step."""
        return Verdict(False, 'never')


@register('always')
@dataclass(frozen=True)
class Always(Rule):
    """Everything is intuitive as long as enough of the buffer is generated, N_G / N_A > tau.

    Raises:
        ValueError: When `tau` is outside its range.
    """

    tau: float = option(
        0.5,
        'Share of the buffer that the VLA must have generated; higher calls it more often',
        range=(0.0, 1.0),
    )

    def __post_init__(self) -> None:
        check_options(self)

    def judge(self, buffer: ActionBuffer, step_s: float, since: int | None = None) -> Verdict:
        """Judge the next step."""
        if buffer.from_vla_ratio <= self.tau:
            return Verdict(False, 'few_from_vla')
        return Verdict(True, 'always')


@register('velocity')
@dataclass(frozen=True)
class Velocity(Rule):
    """Intuitive while the last action's speed is in a band (SP-VLA, the paper).

    v_min <= |translation| <= v_max and N_G / N_A > tau. The bounds on the angular speed are ours.
    Of several arms and joints the fastest counts; where no column is in metres, the band of its
    speed in rad/s stands in the place of that in m/s.

    Raises:
        ValueError: When a value is outside its range, or the band of speed is empty.
    """

    v_min: float = option(
        0.16,
        'Rule velocity: slowest intuitive speed; slow motion is precise motion',
        unit='m/s',
        range=(0.0, 5.0),
    )
    v_max: float = option(
        0.75, 'Rule velocity: fastest intuitive speed', unit='m/s', range=(0.0, 10.0)
    )
    w_max: float = option(
        3.5, 'Rule velocity: fastest intuitive angular speed', unit='rad/s', range=(0.0, 50.0)
    )
    w_min: float = option(
        0.3,
        'Rule velocity: slowest intuitive speed of joints, where no column is in metres',
        unit='rad/s',
        range=(0.0, 50.0),
    )
    tau: float = shared(Always, 'tau')

    def __post_init__(self) -> None:
        check_options(self)
        if self.v_min > self.v_max:
            raise ValueError(
                f'v_min is {self.v_min} m/s, expected at most v_max, {self.v_max} m/s'
            )

    def judge(self, buffer: ActionBuffer, step_s: float, since: int | None = None) -> Verdict:
        """Judge the next step."""
        if not buffer:
            return Verdict(False, 'no_history')
        if buffer.from_vla_ratio <= self.tau:
            return Verdict(False, 'few_from_vla')
        linear, angular = buffer.speeds(step_s)
        in_metres = 'm' in buffer.space.units
        if linear < self.v_min if in_metres else angular < self.w_min:
            return Verdict(False, 'too_slow')
        if linear > self.v_max:
            return Verdict(False, 'too_fast')
        if angular > self.w_max:
            return Verdict(False, 'turning')
        return Verdict(True, 'steady_speed')


@register('planar')
@dataclass(frozen=True)
class Planar(Rule):
    """Intuitive while the last actions move smoothly in the plane (SP-VLA, released code).

    In each of the last `step_skip` actions |dz| / max(|dx|, |dy|, floor) < ratio and
    |dz| < z_max, and at least `min_from_vla` of the buffer are generated. The code's numbers
    are for normalised actions; here speeds are in m/s. Each arm must move so; where no column is
    a translation, nothing is intuitive.

    Raises:
        ValueError: When a value is outside its range.
    """

    step_skip: int = option(2, 'Rule planar: last actions that must be smooth', range=(1, 32))
    ratio: float = option(
        1.0, 'Rule planar: largest vertical over horizontal motion', range=(0.001, 100.0)
    )
    z_max: float = option(
        0.3, 'Rule planar: fastest vertical motion', unit='m/s', range=(0.0001, 10.0)
    )
    min_from_vla: int = option(
        4, 'Rule planar: actions in the buffer that the VLA generated', range=(1, 32)
    )

    def __post_init__(self) -> None:
        check_options(self)

    def judge(self, buffer: ActionBuffer, step_s: float, since: int | None = None) -> Verdict:
        """Judge the next step."""
        if len(buffer) < self.step_skip:
            return Verdict(False, 'no_history')
        if not buffer.space.translations:
            return Verdict(False, 'no_translation')
        if buffer.from_vla < self.min_from_vla:
            return Verdict(False, 'few_from_vla')
        for back in range(1, self.step_skip + 1):
            row = buffer.rows[-back]
            for part in buffer.space.translations:
                x, y, z = row[part.columns]
                vertical = abs(z) / step_s
                horizontal = max(abs(x) / step_s, abs(y) / step_s, FLOOR)
                if vertical >= self.z_max:
                    return Verdict(False, 'vertical_too_fast')
                if vertical >= self.ratio * horizontal:
                    return Verdict(False, 'not_planar')
        return Verdict(True, 'planar')
