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

"""What messages say of an action: told to the arm, or done by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vla_accel_ros.action_columns import ColumnKind
from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.inputs.trajectories import NS, message_step, message_to_action, to_ns
from vla_accel_ros.replay import decode
from vla_accel_ros.replay.roles import ARRAY, JOINTS, POSE, TRAJECTORY, TWIST

_OF_JOINTS = (ColumnKind.JOINT_POSITION, ColumnKind.JOINT_DISPLACEMENT)
# An action's own step, seconds.
STEPS_S = (1e-3, 10.0)


class StepAction(NamedTuple):
    """An action as the policy means it.

    Attributes:
        values: float64 [width], columns as the space says.
        step_s: Seconds of its step.
    """

    values: np.ndarray
    step_s: float


class Twist(NamedTuple):
    """How fast a tool is to move.

    Attributes:
        linear: float64 [3], m/s.
        angular: float64 [3], rad/s.
    """

    linear: np.ndarray
    angular: np.ndarray


class Places(NamedTuple):
    """Where joints are, or are told to be.

    Attributes:
        values: float64 [width], rad or m as the space says; NaN in the columns of grippers and
            of joints that the message is not about.
        lead_ns: So long after the message's stamp, nanoseconds.
    """

    values: np.ndarray
    lead_ns: int = 0


class OtherJointsError(ValueError):
    """A message is about other joints than those of the actions."""


class Pose(NamedTuple):
    """A tool's pose in the base frame.

    Attributes:
        position: float64 [3], m.
        quaternion: x, y, z, w, float64 [4], of length 1.
    """

    position: np.ndarray
    quaternion: np.ndarray


def action(kind: str, message, space: ActionSpace) -> StepAction | Twist | Pose | Places:
    """Return what a message says was told or done.

    Args:
        kind: Its type, one of `roles.action_kinds`.
        message: The message.
        space: What the policy's actions are.

    Raises:
        OtherJointsError: When it is a JointState of other joints.
        ValueError: When it says nothing of such actions.
        NotFiniteError: When its numbers are none.
    """
    if kind == TWIST:
        return twist(message)
    if kind == POSE:
        return pose(message)
    return {TRAJECTORY: _trajectory, ARRAY: _array, JOINTS: _states}[kind](message, space)


def holds_grippers(names: Sequence[str], space: ActionSpace) -> bool:
    """Say whether a trajectory of such columns is of whole actions, and not of joints alone."""
    joints_alone = not len(space.grippers) and len(space.positions) == space.width
    return tuple(names) == space.names and not joints_alone


def _trajectory(message, space: ActionSpace) -> StepAction | Places:
    if of_joints(space) and not holds_grippers(message.joint_names, space):
        if not message.points:
            raise ValueError('trajectory has no points, expected at least 1')
        # What a controller is to do next; what comes after is told again.
        point = message.points[0]
        lead_ns = to_ns(point.time_from_start)
        if not 0 <= lead_ns <= STEPS_S[1] * NS:
            raise ValueError(f'its point is at {lead_ns / NS} s, expected 0 to {STEPS_S[1]} s')
        return Places(_places(message.joint_names, point.positions, space), lead_ns)
    values, step_s = message_to_action(message, space=space).values, message_step(message)
    if not STEPS_S[0] <= step_s <= STEPS_S[1]:
        raise ValueError(f'its step is {step_s} s, expected {STEPS_S[0]} to {STEPS_S[1]} s')
    return StepAction(decode.finite('action', values), step_s)


def _array(message, space: ActionSpace) -> Places:
    return Places(_places([space.names[i] for i in space.moving], message.data, space))


def _states(message, space: ActionSpace) -> Places:
    # Drivers publish the states of a robot's parts one by one, and velocities alone.
    if not len(message.position):
        raise OtherJointsError(f'has no positions of {list(message.name)}')
    return Places(_places(message.name, message.position, space, some=True))


def of_joints(space: ActionSpace) -> bool:
    """Say whether all that moves is joints."""
    return all(not part.kind.is_vector for part in space.parts)


def _places(
    names: Sequence[str], positions: Sequence[float], space: ActionSpace, some: bool = False
) -> np.ndarray:
    """Return the positions of a space's joints, float64 [width], by their names.

    Args:
        names: Of the positions.
        positions: As many.
        space: What the columns are.
        some: Whether some of the joints will do; the others are NaN.

    Raises:
        OtherJointsError: When some will do, and there are none.
        ValueError: When one is missing.
    """
    if len(names) != len(positions):
        raise ValueError(f'has {len(positions)} positions of {len(names)} joints')
    found = dict(zip(names, positions, strict=True))
    wanted = [n for n, k in zip(space.names, space.kinds, strict=True) if k in _OF_JOINTS]
    missing = [name for name in wanted if name not in found]
    if some and len(missing) == len(wanted):
        raise OtherJointsError(f'has {list(names)}, nothing of {", ".join(wanted)}')
    if missing and not some:
        raise ValueError(
            f'columns are {list(names)}, expected {list(space.names)}: {", ".join(missing)} '
            'missing'
        )
    values = np.full(space.width, np.nan)
    there = [name for name in wanted if name in found]
    columns = [space.names.index(name) for name in there]
    values[columns] = decode.finite('position', np.array([found[name] for name in there], float))
    return values


def twist(message) -> Twist:
    """Return how fast a tool is to move.

    Raises:
        NotFiniteError: When its numbers are none.
    """
    linear, angular = (
        decode.finite('twist', np.array([part.x, part.y, part.z]))
        for part in (message.twist.linear, message.twist.angular)
    )
    return Twist(linear, angular)


def pose(message) -> Pose:
    """Return where a tool is and how it is turned.

    Raises:
        ValueError: When the quaternion is none.
        NotFiniteError: When its numbers are none.
    """
    point, turn = message.pose.position, message.pose.orientation
    position = np.array([point.x, point.y, point.z])
    quaternion = np.array([turn.x, turn.y, turn.z, turn.w])
    values = decode.finite('pose', np.concatenate([position, quaternion]))
    length = np.linalg.norm(quaternion)
    if length < 0.5:
        raise ValueError(f'pose {values.tolist()} has no orientation')
    return Pose(position, quaternion / length)


class Told:
    """Reads the actions of a topic, message by message.

    Drivers may tell a part of the joints each: a place counts once all have told theirs.

    Args:
        space: What the policy's actions are.
    """

    def __init__(self, space: ActionSpace) -> None:
        self._space = space
        self._form: type | None = None
        self._places = np.full(space.width, np.nan)
        self._came = np.zeros(space.width, bool)

    def read(self, kind: str, message) -> StepAction | Twist | Pose | Places | None:
        """Return what a message says; None where that is nothing, or too little as yet.

        Raises:
            ValueError: When it says nothing of such actions, or another kind of thing than the
                messages before it.
        """
        try:
            value = action(kind, message, self._space)
        except OtherJointsError:
            return None
        self._form = self._form or type(value)
        if type(value) is not self._form:
            raise ValueError(f'columns are {list(message.joint_names)}, not those before it')
        if not isinstance(value, Places):
            return value
        known = np.isfinite(value.values)
        self._places, self._came = np.where(known, value.values, self._places), known | self._came
        if np.isnan(self._places[self._space.moving]).any():
            return None
        whole, self._places = self._places, np.full(self._space.width, np.nan)
        return value._replace(values=whole)

    def never_came(self) -> list[str]:
        """Return the joints that no message told, where joints are told one by one."""
        if self._form is not Places:
            return []
        return [self._space.names[i] for i in self._space.moving if not self._came[i]]
