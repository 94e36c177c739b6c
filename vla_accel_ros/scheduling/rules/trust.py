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

"""A rule of our own: the predictor is trusted as far as it has just been measured to be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, isfinite

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.options import check_options, option
from vla_accel_ros.scheduling.buffer import ActionBuffer
from vla_accel_ros.scheduling.rules.interface import Rule, Verdict, register

# Keeps a predictor that was exactly right from dividing by zero.
TINY = 1e-9


@register('trust')
@dataclass
class Trust(Rule):
    """Intuitive for as many steps as the VLA's last answer has shown the predictor good for.

    Every answer is compared with what the predictor would have done in its stead, as the share
    e of what is tolerated; it came after k steps without a look. While e <= 1 the predictor
    drifted by e / (k + 1) a step, so that it is good for (k + 1) / e steps: at least one more
    than was just proven, and at least `least`. With e > 1 the motion has changed, and its new
    course is followed for least / e steps: the greater the surprise, the sooner the VLA looks
    again. With nothing to compare, at the beginning, it is `least`. Where one would have
    opened the gripper and the other closed it, `flip` steps follow: with 0 a flip is repeated
    only once the VLA has confirmed it. Never is it longer than `longest`, a time: what goes
    unseen for that long is what matters to a task, at whatever rate steps come.

    Raises:
        ValueError: When a value is outside its range.
    """

    linear: float = option(
        0.06,
        'Rule trust: error of the predictor that is tolerated at any speed; higher calls the VLA '
        'less often',
        unit='m/s',
        range=(0.0001, 10.0),
    )
    angular: float = option(
        0.6, 'Rule trust: likewise of its angular velocity', unit='rad/s', range=(0.0001, 100.0)
    )
    share: float = option(
        0.3,
        "Rule trust: tolerated share of the VLA's own velocity, where it is more",
        range=(0.0, 10.0),
    )
    least: int = option(
        3,
        'Rule trust: steps without a look at least while the error is tolerated; fewer on a new '
        'course, the more it differs',
        range=(0, 32),
    )
    flip: int = option(
        0,
        'Rule trust: steps without a look after the gripper opened or closed; with 0 that is '
        'repeated only once the VLA has confirmed it',
        range=(0, 32),
    )
    longest: float = option(
        0.2,
        'Rule trust: time without a look at most, whatever was measured; of a policy step that is '
        'longer none is intuitive',
        unit='s',
        range=(0.0, 10.0),
    )
    _budget: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def budget(self) -> int:
        """Steps that may follow an action of the VLA without another."""
        return self._budget

    def judge(self, buffer: ActionBuffer, step_s: float, since: int | None = None) -> Verdict:
        """Judge the next step."""
        if not buffer:
            return Verdict(False, 'no_history')
        steps = buffer.steps_since_vla if since is None else since
        if steps < self._budget:
            return Verdict(True, 'trusted')
        return Verdict(False, 'trust_spent' if self._budget else 'no_trust')

    def learn(
        self,
        expected: np.ndarray | None,
        answer: np.ndarray,
        steps_since_vla: int,
        step_s: float,
        space: ActionSpace,
    ) -> None:
        """Measure the predictor by an answer of the VLA; see `Rule.learn`."""
        steps = self.least
        if expected is not None:
            was, now = expected.tolist(), answer.tolist()
            if space.closed(was) != space.closed(now):
                steps = self.flip
            elif (error := self.error(was, now, step_s, space)) <= 1:
                steps = max(int((steps_since_vla + 1) / max(error, TINY)), self.least)
            else:
                steps = int(self.least / error)
        self._budget = min(steps, int(self.longest / step_s + TINY))

    def error(
        self, expected: Sequence[float], answer: Sequence[float], step_s: float, space: ActionSpace
    ) -> float:
        """Return how far apart the motions of two actions are, 1 at what is tolerated.

        Of several arms and joints the worst counts. Absolute positions have no velocity of their
        own to take a share of.

        Args:
            expected: The predictor's, [width].
            answer: The VLA's, [width].
            step_s: Duration of a step, seconds.
            space: What the columns are.

        Returns:
            At least 0; infinity where a number is not finite.
        """
        if not isfinite(sum(expected) + sum(answer)):
            return inf
        tolerated = {'m': self.linear * step_s, 'rad': self.angular * step_s}
        worst = 0.0
        for part in space.parts:
            was, now = expected[part.columns], answer[part.columns]
            apart = part.size([a - b for a, b in zip(was, now, strict=True)])
            share = 0.0 if part.absolute else self.share * part.size(now)
            worst = max(worst, apart / max(tolerated[part.unit], share))
        return worst
