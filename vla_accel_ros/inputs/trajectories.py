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

"""Actions out of `trajectory_msgs/JointTrajectory`, whoever made the message.

Read are the fields, not the classes: ROS's own messages serve, and those that a bag's reader
makes.
`ros.messages` says what the fields mean, and writes them.
"""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action, ActionChunk, Source

NS = 1_000_000_000


def to_ns(stamp) -> int:
    """Return a stamp or duration as integer nanoseconds."""
    return stamp.sec * NS + stamp.nanosec


def message_to_chunk(
    message, source: Source = Source.VLA, space: ActionSpace = END_EFFECTOR
) -> ActionChunk:
    """Read an action or a chunk; an action is a chunk of one row.

    Args:
        message: The trajectory.
        source: What produced it.
        space: What its columns must be.

    Raises:
        ValueError: When columns or widths are not those of the space.
    """
    check_columns(message, space)
    rows = [list(point.positions) for point in message.points]
    for k, row in enumerate(rows):
        if len(row) != space.width:
            raise ValueError(f'point {k} has {len(row)} positions, expected {space.width}')
    if not rows:
        raise ValueError('trajectory has no points, expected at least 1')
    return ActionChunk(rows, to_ns(message.header.stamp), source, space)


def message_to_action(
    message, source: Source = Source.VLA, space: ActionSpace = END_EFFECTOR
) -> Action:
    """Read an action; arguments as for `message_to_chunk`.

    Raises:
        ValueError: As `message_to_chunk`, or when there is more than one point.
    """
    chunk = message_to_chunk(message, source, space)
    if len(chunk) != 1:
        raise ValueError(f'an action has 1 point, this message has {len(chunk)}')
    return Action(chunk.values[0], chunk.stamp_ns, source, space)


def message_step(message) -> float:
    """Return the seconds of one action.

    Raises:
        ValueError: When the points are not evenly spaced in time, to a microsecond.
    """
    times = np.array([to_ns(point.time_from_start) for point in message.points], dtype=np.int64)
    if len(times) == 0 or times[0] <= 0:
        raise ValueError(f'times from start are {times[:1].tolist()} ns, expected above 0')
    expected = times[0] * np.arange(1, len(times) + 1)
    if np.abs(times - expected).max() > 1000:
        raise ValueError(f'times from start {times.tolist()} ns are not multiples of the first')
    return float(times[0]) / NS


def check_columns(message, space: ActionSpace = END_EFFECTOR) -> None:
    """Check that a trajectory's columns are those of a space.

    Raises:
        ValueError: When they are not.
    """
    if tuple(message.joint_names) != space.names:
        raise ValueError(f'columns are {list(message.joint_names)}, expected {list(space.names)}')
