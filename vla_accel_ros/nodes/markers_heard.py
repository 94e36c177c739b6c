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

"""What the markers show is made of: the newest of all that the nodes tell; knows no ROS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.deploy.robot import ArmFacts, JointRange
from vla_accel_ros.nodes.markers_shapes import DELIBERATIVE, HELD, INTUITIVE, QUEUED, Point, Scene
from vla_accel_ros.scheduling.decision import Kind

# After so many seconds a value counts as none.
POSE_S = ACTION_S = JOINT_S = 1.0
DECISION_S = 2.0
ARM_S = 3.5
# Farther away is no tool and no box, faster is no arm.
FARTHEST_M = 100.0
LONGEST = 80
SHOWN_AS = {
    Kind.DELIBERATIVE.value: DELIBERATIVE,
    Kind.VERIFIED.value: DELIBERATIVE,
    Kind.INTUITIVE.value: INTUITIVE,
    Kind.BRIDGED.value: INTUITIVE,
    Kind.QUEUED.value: QUEUED,
}


@dataclass(frozen=True)
class _Decision:
    kind: str
    reason: str
    speed: float | None
    angular_speed: float | None


class Heard:
    """Keeps the newest of each value, for as long as it counts.

    Times are seconds of a monotonic clock. A value that can be none is refused with a ValueError,
    and the one before stays.

    Args:
        arm_command: Full name of the node whose reports count: '/left/arm_command'.
        frame_id: Frame of the points until the arm says its own.
    """

    def __init__(self, arm_command: str, frame_id: str) -> None:
        self._name, self._frame_id = arm_command, frame_id
        self._kept: dict[str, tuple[float, object]] = {}
        self._joints: dict[str, tuple[float, float]] = {}
        self._gave = HELD
        self._model_ms: float | None = None
        self._answer_ms: float | None = None

    def arm(self, facts: ArmFacts, now: float) -> None:
        """Take what arm_command takes: its frame, its box, its limits."""
        self._frame_id = facts.frame_id or self._frame_id
        self._keep('arm', facts, now)

    def decision(self, values: Mapping[str, str], now: float) -> None:
        """Take a decision, with the values by the keys of `vla/decision`."""
        kind = _short(values['kind'])
        found = _Decision(
            kind,
            _short(values['reason']),
            _number(values.get('speed_m_s')),
            _number(values.get('angular_speed_rad_s')),
        )
        self._keep('decision', found, now)
        if values.get('source'):
            # It sent an action.
            self._gave = SHOWN_AS.get(kind, HELD)
        model_ms, answer_ms = _number(values.get('model_ms')), _number(values.get('latency_ms'))
        self._model_ms = self._model_ms if model_ms is None else model_ms
        self._answer_ms = self._answer_ms if answer_ms is None else answer_ms

    def takes_displacements(self, now: float) -> bool:
        """Say whether the arm is known to take displacements of its tool."""
        facts = self._facts(now)
        return facts is not None and facts.names == END_EFFECTOR.names

    def velocity(self, displacement: Sequence[float], step_s: float, now: float) -> None:
        """Take the displacement of an action.

        Args:
            displacement: Of the tool, m, [3].
            step_s: In which it is covered, s.
            now: When it came, s.

        Raises:
            ValueError: When no arm is so fast.
        """
        x, y, z = (each / step_s for each in displacement)
        self._keep('velocity', _near((x, y, z), 'velocity', 'm/s'), now)

    def pose(self, frame_id: str, position: Sequence[float], now: float) -> None:
        """Take where the tool is.

        Args:
            frame_id: Frame of the position; empty means that of the arm.
            position: In m, [3].
            now: When it came, s.

        Raises:
            ValueError: When it is in another frame, or nowhere near.
        """
        if self._facts(now) is None:
            # In which frame it should be, nobody says.
            return
        if frame_id not in ('', self._frame_id):
            raise ValueError(f'the frame is {_short(frame_id)!r}, expected {self._frame_id!r}')
        x, y, z = position
        self._keep('pose', _near((x, y, z), 'tool', 'm'), now)

    def joints(self, names: Sequence[str], positions: Sequence[float], now: float) -> None:
        """Take where joints are.

        Args:
            names: Of the joints.
            positions: In rad or m, one a name, or none at all.
            now: When they came, s.

        Raises:
            ValueError: When there are not as many positions, or a joint that has a limit is at
                no finite one.
        """
        if not len(positions):
            return
        if len(names) != len(positions):
            raise ValueError(f'has {len(positions)} positions for {len(names)} names')
        facts = self._facts(now)
        limited = {each.name for each in facts.joints} if facts else set()
        mine = {name: at for name, at in zip(names, positions, strict=True) if name in limited}
        for name, at in mine.items():
            if not isfinite(at):
                raise ValueError(f'{_short(name)} is {at}, expected a finite position')
        self._joints.update((name, (now, float(at))) for name, at in mine.items())

    def report(self, name: str, values: Mapping[str, str], now: float) -> None:
        """Take a node's report on `/diagnostics`; those of others are passed over."""
        if name == self._name:
            self._keep('report', dict(values), now)

    def scene(self, now: float) -> Scene:
        """Return what is to be shown now."""
        facts = self._facts(now)
        holds = self._holds(now)
        velocity = self._newest('velocity', ACTION_S, now)
        return Scene(
            self._frame_id,
            self._newest('pose', POSE_S, now),
            velocity if self.takes_displacements(now) else None,
            self._gave if holds is None else HELD,
            tuple(self._lines(facts, holds, now)),
            _box(facts),
            holds == 'workspace',
        )

    # -- inside ----------------------------------------------------------------------------------

    def _keep(self, name: str, value: object, now: float) -> None:
        self._kept[name] = (now, value)

    def _newest(self, name: str, age_s: float, now: float):
        at, value = self._kept.get(name, (-1e9, None))
        return value if now - at <= age_s else None

    def _facts(self, now: float) -> ArmFacts | None:
        return self._newest('arm', ARM_S, now)

    def _holds(self, now: float) -> str | None:
        """Say what holds the arm, None while it may move."""
        values = self._newest('report', ARM_S, now)
        if values is None:
            return 'arm_command is silent'
        arm = values.get('arm', '')
        if not arm.startswith('enabled'):
            return _short(arm) or 'arm_command is not active'
        for each in values.get('standing', '').split('; '):
            reason, _, cause = each.partition(': ')
            if reason == 'watchdog':
                return _short(cause)
        return None

    def _lines(self, facts: ArmFacts | None, holds: str | None, now: float) -> Iterator[str]:
        decision = self._newest('decision', DECISION_S, now)
        if decision is None:
            yield 'no decision'
        else:
            yield f'{decision.kind}: {decision.reason}'
            yield from _speeds(decision, facts)
        took = [
            f'{what} {ms:.0f} ms'
            for what, ms in (('model', self._model_ms), ('answer', self._answer_ms))
            if ms is not None
        ]
        if took:
            yield ', '.join(took)
        values = self._newest('report', ARM_S, now) or {}
        median, tail = (
            _number(values.get(f'capture_to_command_{each}_ms')) for each in ('p50', 'p95')
        )
        if median is not None and tail is not None:
            yield f'capture to command {median:.0f} ms, p95 {tail:.0f} ms'
        if facts is not None and (nearest := self._nearest(facts.joints, now)):
            left, joint = nearest
            yield f'nearest limit: {_short(joint.name)}, {left:.3f} {joint.unit} left'
        if holds is None:
            yield 'arm may move'
        else:
            refusal = values.get('last_refusal', '')
            yield f'arm held: {_short(refusal) if refusal.startswith(f"{holds}: ") else holds}'

    def _nearest(
        self, joints: Sequence[JointRange], now: float
    ) -> tuple[float, JointRange] | None:
        """Return the joint with the least way to a limit, and that way; negative outside."""
        found = []
        for joint in joints:
            at, position = self._joints.get(joint.name, (-1e9, 0.0))
            if now - at <= JOINT_S:
                found.append((min(position - joint.lower, joint.upper - position), joint))
        return min(found, key=lambda each: each[0], default=None)


def _speeds(decision: _Decision, facts: ArmFacts | None) -> Iterator[str]:
    """Yield the speed of the last action, where it is known beside the limit of its kind."""
    units, linear, angular = {'m', 'rad'}, '', ''
    if facts is not None:
        linear, angular = f' of {facts.linear_speed:g}', f' of {facts.angular_speed:g}'
        units = {joint.unit for joint in facts.joints} or units
    parts = [
        f'{speed:.3f}{limit} {unit}/s'
        for speed, limit, unit in (
            (decision.speed, linear, 'm'),
            (decision.angular_speed, angular, 'rad'),
        )
        if speed is not None and unit in units
    ]
    if parts:
        yield f'speed {", ".join(parts)}'


def _box(facts: ArmFacts | None) -> tuple[Point, Point] | None:
    if facts is None or facts.workspace is None:
        return None
    low, high = facts.workspace.low, facts.workspace.high
    if not all(abs(each) <= FARTHEST_M for each in (*low, *high)):
        return None
    return low, high


def _near(values: Point, what: str, unit: str) -> Point:
    # NaN is not below anything.
    if not all(abs(each) <= FARTHEST_M for each in values):
        raise ValueError(f'{what} is {values} {unit}, expected at most {FARTHEST_M:g} {unit}')
    return values


def _number(text: str | None) -> float | None:
    """Read a figure; None where there is none."""
    try:
        value = float(text or '')
    except ValueError:
        return None
    return value if isfinite(value) else None


def _short(text: str) -> str:
    """Return a text as one line that fits into a picture."""
    shown = ''.join(each for each in text[:LONGEST] if each.isprintable())
    return f'{shown}…' if len(text) > LONGEST else shown
