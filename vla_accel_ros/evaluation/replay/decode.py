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

import numpy as np

from vla_accel_ros.evaluation.replay.bag.raw import Raw
from vla_accel_ros.evaluation.replay.topics import RAW
from vla_accel_ros.pictures import compressed_to_array, image_to_array
from vla_accel_ros.trajectories import message_step, message_to_action, to_ns


class Decoder:
    """Reads the standard messages that a replay knows."""

    def __init__(self) -> None:
        from rosbags.typesys import Stores, get_typestore

        # The messages read here are the same from Humble to Jazzy.
        self._store = get_typestore(Stores.ROS2_JAZZY)

    def message(self, raw: Raw):
        """Return the message, with the fields that its type has.

        Raises:
            ValueError: When the bytes are no such message.
        """
        try:
            return self._store.deserialize_cdr(raw.data, raw.kind)
        except Exception as error:
            # A parser at garbage: index, struct, Unicode, memory errors.
            what = type(error).__name__
            raise ValueError(
                f'{len(raw.data)} bytes are no {raw.kind} ({what}: {error})') from None


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
    """
    return message_to_action(message).values, message_step(message)


def twist(message) -> np.ndarray:
    """Return linear and angular velocity, float64 [6], m/s and rad/s."""
    linear, angular = message.twist.linear, message.twist.angular
    return np.array([linear.x, linear.y, linear.z, angular.x, angular.y, angular.z])


def pose(message) -> np.ndarray:
    """Return position in m and quaternion x, y, z, w, float64 [7].

    Raises:
        ValueError: When the quaternion is none.
    """
    point, turn = message.pose.position, message.pose.orientation
    values = np.array([point.x, point.y, point.z, turn.x, turn.y, turn.z, turn.w])
    length = np.linalg.norm(values[3:])
    if not np.isfinite(values).all() or length < 0.5:
        raise ValueError(f'pose {values.tolist()} has no orientation')
    values[3:] /= length
    return values


def joint(message, name: str) -> float:
    """Return the position of a joint; the first called after a gripper where no name is given.

    Raises:
        ValueError: When there is none.
    """
    names = list(message.name)
    looked = [name] if name else ['gripper', *(n for n in names if 'gripper' in n.lower()),
                                  *(n for n in names if 'finger' in n.lower())]
    for each in looked:
        if each in names and names.index(each) < len(message.position):
            return float(message.position[names.index(each)])
    raise ValueError(
        f'no position of {name or "a gripper"}, only of {names}: give --gripper-joint')
