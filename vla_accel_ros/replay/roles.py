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

"""The roles that topics play in a replay, which types can play them, and what a user wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vla_accel_ros.action_space import ActionSpace

RAW, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
TRAJECTORY = 'trajectory_msgs/msg/JointTrajectory'
TWIST, POSE = 'geometry_msgs/msg/TwistStamped', 'geometry_msgs/msg/PoseStamped'
FLOAT, JOINTS = 'std_msgs/msg/Float64', 'sensor_msgs/msg/JointState'
ARRAY = 'std_msgs/msg/Float64MultiArray'
STRING = 'std_msgs/msg/String'
PICTURES = (RAW, COMPRESSED)
# In the order of trust: what was commanded each step, what was streamed, what came of it.
OF_TOOL, OF_JOINTS = (TRAJECTORY, TWIST, POSE), (TRAJECTORY, ARRAY, JOINTS)
GRIPPERS = (FLOAT, JOINTS)
NONE = 'none'
OPTIONS = {
    'camera': 'image-topic',
    'action': 'action-topic',
    'gripper': 'gripper-topic',
    'instruction': 'instruction-topic',
    'proprio': 'proprio-topic',
}


def action_kinds(space: ActionSpace) -> tuple[str, ...]:
    """Return the types that can say what was done in columns of a space, the best first."""
    vectors = [part.kind.is_vector for part in space.parts]
    if not any(vectors):
        return OF_JOINTS
    # A twist or a pose is that of one tool.
    return OF_TOOL if all(vectors) and len({p.arm for p in space.parts}) == 1 else (TRAJECTORY,)


@dataclass(frozen=True)
class Roles:
    """Which topic is what.

    Attributes:
        images: A topic a camera, in the checkpoint's order.
        action: What the arm was told or did; empty where nothing is known.
        grippers: Command or state of each gripper, in the order of their columns, where the
            action does not hold them; '' for one of which nothing is known.
        instruction: The instruction; empty where it was given.
        proprio: Joint states for checkpoints that want them; empty for the others.
        kinds: Type of each topic: what its messages must be of, where it has a role.
        others: By role the topics that would have done as well, the best one first.
        rejected: Role, topic, and why its messages do not fit.
    """

    images: tuple[str, ...]
    action: str
    grippers: tuple[str, ...]
    instruction: str
    proprio: str
    kinds: Mapping[str, str]
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rejected: tuple[tuple[str, str, str], ...] = ()

    @property
    def topics(self) -> set[str]:
        """All topics that are read."""
        return {*self.images, *self.grippers, self.action, self.instruction, self.proprio} - {''}

    def chosen(self) -> dict[str, str]:
        """Return the topic of each role; of several cameras or grippers `camera 0` and so on."""
        several = len(self.grippers) > 1
        rows = {f'camera {k}': topic for k, topic in enumerate(self.images)}
        rows |= {'action': self.action}
        rows |= {
            f'gripper {k}' if several else 'gripper': topic
            for k, topic in enumerate(self.grippers)
        }
        rows |= {'instruction': self.instruction, 'proprio': self.proprio}
        return {role: topic for role, topic in rows.items() if topic}

    def describe(self) -> str:
        """Say what was chosen, what else would have done, and what would not, a line each."""
        lines = [
            f'  {role:<12} {topic}  [{self.kinds[topic]}]' for role, topic in self.chosen().items()
        ]
        lines += [
            f'  {role:<12} or {topic}: --{OPTIONS[role]}'
            for role, topics in self.others.items()
            for topic in topics
        ]
        lines += [f'  {role:<12} not {topic}: {why}' for role, topic, why in self.rejected]
        return '\n'.join(lines)

    def facts(self) -> dict:
        """Return the same for `results.json`."""
        return {
            'chosen': self.chosen(),
            'others': {r: list(t) for r, t in self.others.items()},
            'rejected': [
                dict(zip(('role', 'topic', 'why'), row, strict=True)) for row in self.rejected
            ],
        }


@dataclass(frozen=True)
class Wishes:
    """What the user said; empty is guessed, `none` goes without.

    Attributes:
        images: As `--image-topic`.
        action: As `--action-topic`.
        grippers: As `--gripper-topic`, one a gripper; `none` alone goes without.
        instruction: As `--instruction-topic`.
        proprio: As `--proprio-topic`.
        said: As `--instruction`: no topic is needed then.
        ends: Whether `--gripper-open` and `--gripper-closed` are given, which joint states need.
    """

    images: tuple[str, ...] = ()
    action: str = ''
    grippers: tuple[str, ...] = ()
    instruction: str = ''
    proprio: str = ''
    said: str = ''
    ends: bool = True
