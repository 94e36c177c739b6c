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

"""From the bytes of a message to what it says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from vla_accel_ros.inputs.instructions import check_instruction
from vla_accel_ros.inputs.pictures import compressed_to_array, image_to_array
from vla_accel_ros.inputs.trajectories import message_step, message_to_action, to_ns
from vla_accel_ros.replay.bag.raw import Raw
from vla_accel_ros.replay.roles import RAW, STRING

# Nothing that an arm does is larger, in m, rad, m/s or rad/s; squares and sums stay finite.
LARGEST = 1e9
# An action's own step, seconds.
STEPS_S = (1e-3, 10.0)


class NotFiniteError(ValueError):
    """A message is well-formed and holds NaN, infinity, or a number that cannot be."""


class Pose(NamedTuple):
    """A tool's pose in the base frame.

    Attributes:
        position: float64 [3], m.
        quaternion: x, y, z, w, float64 [4], of length 1.
    """

    position: np.ndarray
    quaternion: np.ndarray


class Decoder:
    """Reads the standard messages that a replay knows."""

    def __init__(self) -> None:
        self._store = _typestore()

    def message(self, raw: Raw):
        """Return the message, with the fields that its type has.

        Names in it that are no UTF-8 are read with question marks: nobody asks for a frame id.
        What a String says is asked for.

        Raises:
            ValueError: When the bytes are no such message.
        """
        data = raw.data
        while True:
            try:
                return self._store.deserialize_cdr(data, raw.kind)
            except Exception as error:
                # A parser at garbage: index, struct, memory errors; rosbags wraps some of them.
                cause = error.__cause__ or error.__context__ or error
                if isinstance(cause, UnicodeDecodeError) and raw.kind != STRING:
                    mended = _ascii(data, bytes(cause.object))
                    if mended != data:
                        data = mended
                        continue
                raise ValueError(
                    f'{len(raw.data)} bytes are no {raw.kind} ({type(cause).__name__}: {cause})'
                ) from None


@cache
def _typestore():
    """Return the types of messages; making them takes a tenth of a second."""
    from rosbags.typesys import Stores, get_typestore

    # The messages read here are the same from Humble to Jazzy.
    return get_typestore(Stores.ROS2_JAZZY)


def stamp_of(message) -> int | None:
    """Return a message's own stamp in nanoseconds, None where it has none."""
    header = getattr(message, 'header', None)
    return None if header is None else to_ns(header.stamp) or None


def picture(kind: str, message) -> np.ndarray:
    """Return an image message's pixels, uint8 [h, w, 3] RGB.

    Raises:
        ValueError: When header and data do not agree, or do not decode.
    """
    return image_to_array(message) if kind == RAW else compressed_to_array(message)


def displacement(message) -> tuple[np.ndarray, float]:
    """Return the action of a trajectory, float64 [7], and the seconds of its step.

    Raises:
        ValueError: When it is no action.
        NotFiniteError: When its numbers are none.
    """
    values, step_s = message_to_action(message).values, message_step(message)
    if not STEPS_S[0] <= step_s <= STEPS_S[1]:
        raise ValueError(f'its step is {step_s} s, expected {STEPS_S[0]} to {STEPS_S[1]} s')
    return _finite('action', values), step_s


def twist(message) -> np.ndarray:
    """Return linear and angular velocity, float64 [6], m/s and rad/s.

    Raises:
        NotFiniteError: When its numbers are none.
    """
    linear, angular = message.twist.linear, message.twist.angular
    values = np.array([linear.x, linear.y, linear.z, angular.x, angular.y, angular.z])
    return _finite('twist', values)


def pose(message) -> Pose:
    """Return where a tool is and how it is turned.

    Raises:
        ValueError: When the quaternion is none.
        NotFiniteError: When its numbers are none.
    """
    point, turn = message.pose.position, message.pose.orientation
    position = np.array([point.x, point.y, point.z])
    quaternion = np.array([turn.x, turn.y, turn.z, turn.w])
    values = _finite('pose', np.concatenate([position, quaternion]))
    length = np.linalg.norm(quaternion)
    if length < 0.5:
        raise ValueError(f'pose {values.tolist()} has no orientation')
    return Pose(position, quaternion / length)


def number(message) -> float:
    """Return what a Float64 says.

    Raises:
        NotFiniteError: When it is no number.
    """
    return float(_finite('value', np.array([message.data]))[0])


def text(message) -> str:
    """Return what a String says, without white space around it.

    Raises:
        ValueError: When it is no instruction; an empty one is.
    """
    said = message.data.strip()
    if said:
        check_instruction(said)
    return said


def gripper_joint(names: Sequence[str]) -> str:
    """Return the joint that is called after a gripper, '' where none is."""
    likely = [
        'gripper',
        *(n for n in names if 'gripper' in n.lower()),
        *(n for n in names if 'finger' in n.lower()),
    ]
    return next((name for name in likely if name in names), '')


def joint(message, name: str) -> float | None:
    """Return the position of a joint; None where the message is about other joints.

    Drivers publish joint states of a robot's parts one by one, and velocities without positions.

    Raises:
        ValueError: When it has fewer positions than names.
        NotFiniteError: When the position is no number.
    """
    names, positions = list(message.name), message.position
    if name not in names or len(positions) == 0:
        return None
    at = names.index(name)
    if at >= len(positions):
        raise ValueError(f'has {len(positions)} positions of {len(names)} joints')
    return float(_finite(f'position of {name}', np.array([positions[at]]))[0])


def _finite(what: str, values: np.ndarray) -> np.ndarray:
    # NaN compares as false.
    if not (np.abs(values) <= LARGEST).all():
        raise NotFiniteError(
            f'{what} is {values.tolist()}, expected finite numbers of at most {LARGEST:g}'
        )
    return values


def _ascii(data: bytes, text: bytes) -> bytes:
    """Return a message with question marks for what is not ASCII in a text of it."""
    plain = bytes(byte if byte < 128 else ord('?') for byte in text)
    return bytes(data).replace(text, plain, 1) if text else data
