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

"""Joint positions, of one arm or of several, checked against where the joints really are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.inputs.urdf import DescribedLimit, read_limits, tighter
from vla_accel_ros.safety.drive import Values
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.joint_limits import JointLimit, joint_limits
from vla_accel_ros.safety.joint_stream import JointStream
from vla_accel_ros.safety.limits import NS, ROUNDING, Refusal
from vla_accel_ros.safety.measured import MeasuredJoints

NO_DESCRIPTION = 'neither the parameter nor the topic robot_description gives the limits'
# rad or m: rounding of a command that is exactly at a limit.
SLACK = 1e-9


class JointDrive:
    """The drive of joint positions, [joints] in rad or m, grippers apart.

    A column of the action is a position or a displacement over the step, as the space says. What
    is sent is always a position. The arm is held at the position measured when it has to stop,
    never at the last command; while nothing recent was measured, nothing is sent.

    Args:
        space: What the columns of the actions are: joints and grippers only.
        config: Settings.

    Attributes:
        space: As given.
        names: Names of the joints, in the order of what is sent.

    Raises:
        ValueError: When the space has a column that is neither a joint nor a gripper, or no joint.
    """

    def __init__(self, space: ActionSpace, config: GuardConfig | None = None) -> None:
        if not len(space.moving) or any(part.kind.is_vector for part in space.parts):
            raise ValueError(f'{space!r} has tools or no joints, expected joints and grippers')
        self.space = space
        self._places: list[int] = space.moving.tolist()
        self.names = tuple(space.names[i] for i in self._places)
        self._units = tuple(space.units[i] for i in self._places)
        positions = set(space.positions.tolist())
        self._absolute = tuple(i in positions for i in self._places)
        self._config = config or GuardConfig()
        self._described: Mapping[str, DescribedLimit | ValueError] | None = None
        self._known: dict[str, DescribedLimit] = {}
        self._limits: tuple[JointLimit, ...] = ()
        self._unlimited = NO_DESCRIPTION
        self._measured = MeasuredJoints(self.names)
        self._stream = JointStream((), self._config.late_s)
        self._velocity: tuple[float, ...] | None = None
        self._holding, self._hold = False, Values()
        self._start = Values()

    # -- what is known of the robot --------------------------------------------------------------

    def describe(self, text: str) -> str:
        """Take the robot's description (URDF); a later one, maybe another's, loosens nothing.

        Returns:
            What is wrong with it; empty when nothing is. With something wrong there are no limits,
            and without limits nothing moves.
        """
        try:
            self._described, self._unlimited = tighter(self._known, read_limits(text)), ''
            for name, limit in self._described.items():
                if isinstance(limit, DescribedLimit):
                    self._known[name] = limit
        except ValueError as error:
            self._described, self._unlimited = None, str(error)
        self._limit()
        return self._unlimited

    def update_joints(
        self, names: Sequence[str], positions: Sequence[float], now_ns: int, age_s: float = 0.0
    ) -> str:
        """Take a joint state; see `MeasuredJoints.update`."""
        return self._measured.update(names, positions, now_ns, age_s)

    # -- as every drive --------------------------------------------------------------------------

    @property
    def limits(self) -> tuple[JointLimit, ...]:
        """Limits of each joint; empty while they are not known."""
        return self._limits

    def configure(self, config: GuardConfig) -> None:
        """Change the settings; motion under way goes on within them."""
        self._config = config
        if self._described is not None:
            self._limit()

    def begin(self) -> None:
        """Begin anew, from where the joints are measured."""
        self._stop(hold=False)

    def clear(self) -> None:
        """End the motion; the arm is held from here on if it was moving or held before."""
        self._stop(hold=self._holding or self._stream.sent is not None)

    def obstacles(self, now_ns: int) -> list[Refusal]:
        """Return everything that stands against enabling the arm."""
        found = [] if self._limits else [Refusal('no_joint_limits', self._unlimited)]
        state = self._measured.fault(now_ns, self._config.joints.max_age_s)
        if state is None and self._limits:
            state = self._outside()
        return [*found, *([state] if state else [])]

    def check(self, row: list[float], step_s: float, now_ns: int) -> Refusal | None:
        """Check an action against every limit of every joint; see `Drive.check`."""
        if not self._limits:
            return Refusal('no_joint_limits', self._unlimited)
        state = self._measured.fault(now_ns, self._config.joints.max_age_s)
        if state:
            return state
        under_way = self._under_way(now_ns)
        before = self._velocity if under_way and self._velocity else (0.0,) * len(self.names)
        for joint, (limit, here, target, origin) in enumerate(
            zip(
                self._limits,
                self._measured.positions,
                self._target(row, now_ns),
                self._origin(now_ns),
                strict=True,
            )
        ):
            # Where an absolute chunk begins is not where the arm is; the way there is bounded by
            # the step from the measured position, and the stream keeps the speed.
            approach = self._absolute[joint] and not under_way
            speed = None if approach else (target - origin) / step_s
            refusal = _check_place(limit, here, target) or (
                _check_speed(limit, speed, before[joint], step_s) if speed is not None else None
            )
            if refusal:
                return refusal
        return None

    def add(self, row: list[float], step_s: float, now_ns: int) -> int:
        """Take an accepted action; see `Drive.add`."""
        target, origin = self._target(row, now_ns), self._origin(now_ns)
        under_way = self._under_way(now_ns)
        self._velocity = tuple(
            (there - here) / step_s if under_way else 0.0
            for here, there in zip(origin, target, strict=True)
        )
        if not under_way:
            start = self._begin_at()
            self._stop(hold=False)
            self._start = start
        self._stream.add(self._start, target, step_s, now_ns)
        return self._stream.horizon_ns

    def trouble(self, now_ns: int) -> Refusal | None:
        """Say why motion under way must end: the joints are not known, or do not follow."""
        if not self._limits:
            return Refusal('no_joint_limits', self._unlimited)
        state = self._measured.fault(now_ns, self._config.joints.max_age_s)
        if state or self._stream.sent is None:
            return state
        if self._stream.target and (outside := self._unsafe(self._stream.target)):
            return Refusal('joint_position', f'{outside}: a limit was tightened on the way')
        for limit, here, sent in zip(
            self._limits, self._measured.positions, self._stream.sent, strict=True
        ):
            if not abs(sent - here) <= limit.largest_step * ROUNDING:
                return Refusal(
                    'left_behind',
                    f'{limit.name} is at {here:.4g} {limit.unit} and was sent to {sent:.4g}, at '
                    f'most {limit.largest_step:g} apart',
                )
        return None

    def tick(self, now_ns: int, period_s: float) -> tuple[Values, bool]:
        """Give the positions to send now; see `Drive.tick`."""
        return self._stream.tick(now_ns, period_s)

    def fault(self, values: Values) -> str:
        """Name what is unsafe about positions, whatever made them."""
        return 'unsafe_position' if self._unsafe(values) else ''

    def _unsafe(self, values: Values) -> str:
        for limit, start, value in zip(self._limits, self._start, values, strict=True):
            low, high = min(limit.lower, start) - SLACK, max(limit.upper, start) + SLACK
            # NaN fails every comparison, so this also holds what no test thought of.
            if not (isfinite(value) and low <= value <= high):
                place = f'{value:.4g}, not {low:.4g} to {high:.4g} {limit.unit}'
                return f'{limit.name} is sent to {place}'
        return ''

    def ahead(self, period_s: float) -> list[Values]:
        """Give what the next ticks, seconds apart, send if no other action comes."""
        return self._stream.ahead(period_s)

    def held(self, now_ns: int) -> Values:
        """Give the position measured when the motion ended; nothing before there was any.

        What is measured far outside the range, or after a leap, is where no joint is: it is not
        sent.
        """
        if not self._holding:
            return Values()
        if not self._hold and not self._measured.fault(now_ns, self._config.joints.max_age_s):
            if not (self._limits and self._outside()):
                self._hold = self._measured.positions
        return self._hold

    def room(self, now_ns: int) -> dict[str, float]:
        """Give what is left to the nearest end of a joint's range, and below its speed."""
        if not self._limits or self._measured.fault(now_ns, self._config.joints.max_age_s):
            return {}
        places = zip(self._limits, self._measured.positions, strict=True)
        velocity = self._velocity if self._velocity and self._under_way(now_ns) else ()
        speeds = [
            limit.velocity - abs(speed)
            for limit, speed in zip(self._limits, velocity, strict=False)
        ]
        return {
            'joint_position': min(min(at - one.lower, one.upper - at) for one, at in places),
            'joint_velocity': min(speeds or [limit.velocity for limit in self._limits]),
        }

    # -- its own ---------------------------------------------------------------------------------

    def _limit(self) -> None:
        self._limits = ()
        if self._described is not None:
            try:
                self._limits = joint_limits(
                    self.names, self._units, self._described, self._config.joints
                )
            except ValueError as error:
                self._unlimited = str(error)
        if not self._limits:
            self.clear()
        self._measured.configure(self._limits)
        self._stream.configure(self._limits, self._config.late_s)
        if self._stream.sent is None:
            self._stream.clear()

    def _stop(self, hold: bool) -> None:
        self._stream.clear()
        self._velocity = None
        self._holding, self._hold = hold, Values()

    def _begin_at(self) -> Values:
        """Where the stream begins: at what was sent last, if the joints are there about."""
        measured, sent = self._measured.positions, self._hold or self._stream.sent or ()
        near = all(
            abs(a - b) <= limit.largest_step
            for a, b, limit in zip(measured, sent, self._limits, strict=False)
        )
        return sent if sent and near else measured

    def _under_way(self, now_ns: int) -> bool:
        """Say whether the last action still counts as motion that the next one goes on."""
        over_ns = self._stream.horizon_ns + round(self._config.grace_s * NS)
        return self._stream.target is not None and now_ns <= over_ns

    def _origin(self, now_ns: int) -> Values:
        """Where an action begins: at the last one's end, or where the joints are measured."""
        target = self._stream.target
        return target if target and self._under_way(now_ns) else self._measured.positions

    def _target(self, row: list[float], now_ns: int) -> Values:
        """Where each joint is at the end of an action."""
        return tuple(
            row[place] if absolute else origin + row[place]
            for place, absolute, origin in zip(
                self._places, self._absolute, self._origin(now_ns), strict=True
            )
        )

    def _outside(self) -> Refusal | None:
        for limit, here in zip(self._limits, self._measured.positions, strict=True):
            if not limit.lower - limit.largest_step <= here <= limit.upper + limit.largest_step:
                return Refusal(
                    'joint_position',
                    f'{limit.name} is at {here:.4g} {limit.unit}, expected {limit.lower:.4g} to '
                    f'{limit.upper:.4g}: is it the joint that is meant, and in this unit?',
                )
        return None


def _check_place(limit: JointLimit, here: float, target: float) -> Refusal | None:
    # From outside, any motion back toward the range is allowed.
    below = target < limit.lower - SLACK and target < here
    if below or (target > limit.upper + SLACK and target > here):
        return Refusal(
            'joint_position',
            f'{limit.name} would be at {target:.4g} {limit.unit}, expected {limit.lower:.4g} to '
            f'{limit.upper:.4g}',
        )
    if not abs(target - here) <= limit.largest_step * ROUNDING:
        return Refusal(
            'jump',
            f'{limit.name} is measured at {here:.4g} {limit.unit} and the action says '
            f'{target:.4g}: {abs(target - here):.4g} apart, at most {limit.largest_step:g}',
        )
    return None


def _check_speed(limit: JointLimit, speed: float, before: float, step_s: float) -> Refusal | None:
    if not abs(speed) <= limit.velocity * ROUNDING:
        return Refusal(
            'joint_velocity',
            f'{limit.name} would move at {abs(speed):.4g} {limit.unit}/s, at most '
            f'{limit.velocity:.4g}',
        )
    change = abs(speed - before)
    # Braking neither speeds up nor reverses.
    braking = abs(speed) <= abs(before) and change <= abs(before) * ROUNDING
    if not braking and not change / step_s <= limit.acceleration * ROUNDING:
        return Refusal(
            'joint_acceleration',
            f'{limit.name} would change by {change / step_s:.4g} {limit.unit}/s^2, at most '
            f'{limit.acceleration:.4g}',
        )
    return None
