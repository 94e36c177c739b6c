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

"""Where each joint is, by the newest joint states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from vla_accel_ros.safety.joint_limits import JointLimit
from vla_accel_ros.safety.limits import NS, Refusal

# A state that is stamped further ahead of its arrival is not taken for one of now.
AHEAD_S = 0.05
# A position has leapt when it changed by more than the joint's speed allows since the one before,
# and this share of the largest step, which is for states that were delayed. Two nodes publish the
# joint's position, or an encoder was reset.
LEAP_SHARE = 0.5
# For so long after a leap no position counts.
LEAP_S = 1.0
LEAP = 'joints_leap'


class MeasuredJoints:
    """Keeps the newest position of each joint, whatever the order and the message it came in.

    A robot may have several drivers, each with a message of its own.

    Args:
        names: Names of the joints, in the order wanted.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._newest: dict[str, tuple[int, float]] = {}
        self._limits: dict[str, JointLimit] = {}
        self._leapt_ns, self._leap = 0, ''

    def configure(self, limits: Iterable[JointLimit]) -> None:
        """Take the limits that say what is a leap; a joint without a limit never leaps."""
        self._limits = {limit.name: limit for limit in limits}

    def update(
        self, names: Sequence[str], positions: Sequence[float], now_ns: int, age_s: float = 0.0
    ) -> str:
        """Take a joint state; joints that are not wanted are passed over.

        Args:
            names: Names of its joints.
            positions: Their positions, rad or m; none where a driver tells no positions.
            now_ns: Monotonic time, nanoseconds.
            age_s: How old it is by its stamp, seconds; below 0 it is stamped ahead.

        Returns:
            What is wrong with it; empty when nothing is. Of a state with something wrong no
            position is taken.
        """
        if not positions:
            return ''
        if len(names) != len(positions):
            return f'has {len(positions)} positions for {len(names)} names'
        mine = [pair for pair in zip(names, positions, strict=True) if pair[0] in self._names]
        wrong = [f'{name} is {value}' for name, value in mine if not isfinite(value)]
        if wrong:
            return f'{", ".join(wrong)}, expected finite positions'
        if len(dict(mine)) < len(mine):
            given = [name for name, _ in mine]
            twice = sorted({name for name in given if given.count(name) > 1})
            return f'names {", ".join(twice)} more than once'
        if mine and age_s < -AHEAD_S:
            return f'is stamped {-age_s:.3f} s ahead of the clock, at most {AHEAD_S}'
        stamp_ns = now_ns - round(max(age_s, 0.0) * NS)
        for name, value in mine:
            # One that was overtaken on its way is older than what is known; what is known from
            # the future is of before the clock was set back.
            known_ns, known = self._newest.get(name, (stamp_ns, value))
            if stamp_ns >= known_ns:
                self._look_for_leap(name, value - known, (stamp_ns - known_ns) / NS, now_ns)
            if stamp_ns >= known_ns or known_ns - now_ns > AHEAD_S * NS:
                self._newest[name] = (stamp_ns, float(value))
        return ''

    def fault(self, now_ns: int, max_age_s: float) -> Refusal | None:
        """Name the joints whose position is missing, too old or in doubt, None when all are there.

        Args:
            now_ns: Monotonic time, nanoseconds.
            max_age_s: Oldest position that counts, seconds.
        """
        missing = [name for name in self._names if name not in self._newest]
        if missing:
            return Refusal(
                'joints_missing', f'no position of {", ".join(missing)} on joint_states'
            )
        ages = {name: (now_ns - self._newest[name][0]) / NS for name in self._names}
        # One from the future is of before the clock was set back.
        old = [name for name, age in ages.items() if not -AHEAD_S <= age <= max_age_s]
        if old:
            age = ages[old[0]]
            return Refusal(
                'joints_stale',
                f'{", ".join(old)}: the position is {age:.3f} s old, at most {max_age_s:g}',
            )
        # A leap in the future is of before the clock was set back.
        if self._leap and 0 <= now_ns - self._leapt_ns <= LEAP_S * NS:
            return Refusal(LEAP, self._leap)
        return None

    def _look_for_leap(self, name: str, way: float, gap_s: float, now_ns: int) -> None:
        limit = self._limits.get(name)
        if limit is None:
            return
        most = limit.velocity * gap_s + LEAP_SHARE * limit.largest_step
        if not abs(way) <= most:
            self._leapt_ns = now_ns
            self._leap = (
                f'{name} went {abs(way):.4g} {limit.unit} in {gap_s:.3f} s, at most {most:.4g}: '
                'do several nodes publish joint_states?'
            )

    @property
    def positions(self) -> tuple[float, ...]:
        """The newest positions, [joints]; ask `fault` first.

        Raises:
            KeyError: When one is missing.
        """
        return tuple(self._newest[name][1] for name in self._names)
