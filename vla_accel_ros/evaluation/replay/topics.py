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

"""Which topic of a bag is what: guessed from types and names, or as told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vla_accel_ros.evaluation.replay.bag.raw import BagError, Topic

RAW, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
TRAJECTORY = 'trajectory_msgs/msg/JointTrajectory'
TWIST, POSE = 'geometry_msgs/msg/TwistStamped', 'geometry_msgs/msg/PoseStamped'
FLOAT, JOINTS = 'std_msgs/msg/Float64', 'sensor_msgs/msg/JointState'
STRING = 'std_msgs/msg/String'
PICTURES = (RAW, COMPRESSED)
# In the order of trust: what was commanded each step, what was streamed, what came of it.
ACTIONS = (TRAJECTORY, TWIST, POSE)
GRIPPERS = (FLOAT, JOINTS)
# What this package's own nodes publish beside cameras and actions.
OWN = ('vla/frame', 'vla/observation', 'vla/tokens', 'vla/request', 'vla/action_chunk')
HAND = ('wrist', 'hand', 'gripper', 'eef')
NONE = 'none'


@dataclass(frozen=True)
class Roles:
    """Which topic is what.

    Attributes:
        images: A topic a camera, in the checkpoint's order.
        action: What the arm was told or did; empty where nothing is known.
        gripper: The gripper's command or state, where the action does not hold it; or empty.
        instruction: The instruction; empty where it was given.
        proprio: Joint states for checkpoints that want them; empty for the others.
        kinds: Type of each topic.
    """

    images: tuple[str, ...]
    action: str
    gripper: str
    instruction: str
    proprio: str
    kinds: Mapping[str, str]

    @property
    def topics(self) -> set[str]:
        """All topics that are read."""
        return {*self.images, self.action, self.gripper, self.instruction, self.proprio} - {''}

    def describe(self) -> str:
        """Say what was chosen, a line each."""
        rows = [(f'camera {k}', topic) for k, topic in enumerate(self.images)]
        rows += [('action', self.action), ('gripper', self.gripper),
                 ('instruction', self.instruction), ('proprio', self.proprio)]
        return '\n'.join(
            f'  {what:<12} {topic}  [{self.kinds[topic]}]' for what, topic in rows if topic)


@dataclass(frozen=True)
class Wishes:
    """What the user said; empty is guessed, `none` goes without.

    Attributes:
        images: As `--image-topic`.
        action: As `--action-topic`.
        gripper: As `--gripper-topic`.
        instruction: As `--instruction-topic`.
        proprio: As `--proprio-topic`.
        said: As `--instruction`: no topic is needed then.
    """

    images: tuple[str, ...] = ()
    action: str = ''
    gripper: str = ''
    instruction: str = ''
    proprio: str = ''
    said: str = ''


def assign(
    topics: Mapping[str, Topic], wishes: Wishes, cameras: int, proprio: bool = False,
) -> Roles:
    """Say which topic is what.

    Args:
        topics: Those of the bag.
        wishes: What the user said.
        cameras: Views that the checkpoint wants.
        proprio: Whether the checkpoint wants joint states.

    Raises:
        BagError: When a topic is missing or of a wrong type, or the cameras are not as many as
            the checkpoint wants; the message lists the topics that there are.
    """
    there = {name: topic for name, topic in topics.items() if topic.count}
    images = wishes.images or _images(there)
    for name in images:
        _check(topics, name, PICTURES, '--image-topic')
    _check_cameras(topics, images, cameras)
    action = _one(topics, there, wishes.action, ACTIONS, '--action-topic', _action_names)
    gripper = ''
    if not action or topics[action].kind != TRAJECTORY:
        gripper = _one(topics, there, wishes.gripper, GRIPPERS, '--gripper-topic', _gripper_names)
    spoken = '' if wishes.said else _one(
        topics, there, wishes.instruction, (STRING,), '--instruction-topic', _instruction_names)
    if not (spoken or wishes.said):
        raise BagError(
            'no topic of type std_msgs/msg/String looks like an instruction: give '
            f'--instruction WORDS or --instruction-topic; {_listed(topics)}')
    states = ''
    if proprio:
        states = _one(topics, there, wishes.proprio, (JOINTS,), '--proprio-topic',
                      lambda name: -('proprio' in name))
        if not states:
            raise BagError(
                'the checkpoint wants proprioception and no topic is of type '
                f'{JOINTS}; {_listed(topics)}')
    kinds = {name: topic.kind for name, topic in topics.items()}
    return Roles(tuple(images), action, gripper, spoken, states, kinds)


def _images(there: Mapping[str, Topic]) -> tuple[str, ...]:
    names = [
        name for name, topic in there.items()
        if topic.kind in PICTURES and 'depth' not in name.lower() and not _is_own(name)]
    raw = {name for name in names if there[name].kind == RAW}
    # The same camera twice, raw and compressed: once is enough.
    names = [n for n in names if n in raw or n.rpartition('/')[0] not in raw]
    return tuple(sorted(names, key=lambda n: (any(word in n.lower() for word in HAND), n)))


def _check_cameras(topics: Mapping[str, Topic], images: Sequence[str], cameras: int) -> None:
    if not images:
        raise BagError(
            f'no topic is of type {RAW} or {COMPRESSED} and holds messages; {_listed(topics)}')
    if len(images) != cameras:
        raise BagError(
            f'the checkpoint wants {cameras} camera{"s" * (cameras != 1)}, found '
            f'{len(images)}: {", ".join(images)}; choose with --image-topic, once a camera, in '
            "the checkpoint's order")


def _one(
    topics: Mapping[str, Topic], there: Mapping[str, Topic], wish: str, kinds: Sequence[str],
    option: str, order: Callable[[str], int | None],
) -> str:
    """Return the topic told, else the best by type and name; None from `order` is no candidate."""
    if wish == NONE:
        return ''
    if wish:
        _check(topics, wish, kinds, option)
        return wish
    candidates = [
        (kinds.index(topic.kind), order(name), name) for name, topic in there.items()
        if topic.kind in kinds and not _is_own(name) and order(name) is not None]
    return min(candidates)[2] if candidates else ''


def _action_names(name: str) -> int:
    return -('action' in name or 'cmd' in name or 'ee' in name)


def _gripper_names(name: str) -> int | None:
    return 0 if 'gripper' in name.lower() or 'finger' in name.lower() else None


def _instruction_names(name: str) -> int | None:
    words = ('instruction', 'language', 'task', 'prompt')
    return 0 if any(word in name.lower() for word in words) else None


def _is_own(name: str) -> bool:
    return name.endswith(OWN)


def _check(
    topics: Mapping[str, Topic], name: str, kinds: Sequence[str], option: str,
) -> None:
    if name not in topics:
        raise BagError(f'{option} {name} is not in the bag; {_listed(topics)}')
    if topics[name].kind not in kinds:
        raise BagError(
            f'{option} {name} is of type {topics[name].kind}, expected {" or ".join(kinds)}')
    if not topics[name].count:
        raise BagError(f'{option} {name} holds no messages; {_listed(topics)}')


def _listed(topics: Mapping[str, Topic]) -> str:
    rows = ', '.join(
        f'{name} [{topic.kind}, {topic.count}]' for name, topic in sorted(topics.items()))
    return f'topics of the bag: {rows or "none"}'
