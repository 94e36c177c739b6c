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

"""What the name of a topic says of its role: a rank, or nothing.

Names are taken apart into words; a word counts as a whole only. The product's own names come
first.
"""

from __future__ import annotations

import re

# What this package's own nodes publish and want, in whatever namespace.
OWN_ACTION, OWN_INSTRUCTION, OWN_PROPRIO = 'vla/action', 'vla/instruction', 'proprio'
# And what they publish beside that: no camera's and no command's.
OWN = ('vla/frame', 'vla/observation', 'vla/tokens', 'vla/request', 'vla/action_chunk')
HAND = {'wrist', 'hand', 'gripper', 'eef', 'ee', 'eye', 'tool'}
INSTRUCTION = ('instruction', 'language', 'prompt', 'task')
# A topic about an instruction or a task is none.
ABOUT = {
    'status',
    'state',
    'states',
    'result',
    'results',
    'feedback',
    'event',
    'events',
    'log',
    'logs',
    'debug',
    'error',
    'errors',
    'id',
    'reason',
    'response',
    'answer',
    'diagnostics',
    'type',
    'progress',
    'heartbeat',
}
ARM = {'servo', 'ee', 'eef', 'tcp', 'effector', 'tool', 'arm', 'manipulator', 'hand', 'delta'}
COMMAND = {'action', 'actions', 'cmd', 'cmds', 'command', 'commands', 'commanded', 'target'}
# What moves or measures something else than the hand of an arm.
ELSEWHERE = {
    'base',
    'wheel',
    'wheels',
    'mobile',
    'chassis',
    'odom',
    'odometry',
    'imu',
    'gps',
    'camera',
    'joy',
    'joystick',
    'head',
    'torso',
    'nav',
    'goal',
    'object',
    'marker',
    'vel',
}
MEASURED = {'measured', 'current', 'actual', 'feedback', 'feed', 'state', 'states'}
GRIPPER = {'gripper', 'grippers', 'finger', 'fingers'}
# What a gripper says of itself beside its opening.
NO_OPENING = {
    'force',
    'forces',
    'effort',
    'efforts',
    'current',
    'temperature',
    'voltage',
    'velocity',
    'speed',
    'torque',
    'status',
    'error',
    'rate',
    'load',
}


def words(name: str) -> list[str]:
    """Return the words of a topic's name, in lower case: `/servoNode/delta_twist_cmds2`."""
    found = re.findall(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+', name)
    return [word.lower() for word in found]


def is_(own: str, name: str) -> bool:
    """Say whether a topic has a name of the product, in whatever namespace."""
    return f'/{name}'.endswith(f'/{own}')


def is_own(name: str) -> bool:
    """Say whether the product's own nodes publish it beside what a replay wants."""
    return any(is_(own, name) for own in OWN)


def action_rank(name: str) -> int:
    """Return the rank of a topic that may hold actions, the best one lowest."""
    if is_(OWN_ACTION, name):
        return -10
    said = set(words(name))
    return (
        4 * bool(said & ELSEWHERE)
        + bool(said & MEASURED)
        - 2 * bool(said & ARM)
        - bool(said & COMMAND)
    )


def gripper_rank(name: str) -> int | None:
    """Return the rank of a topic that may hold the gripper, None where its name says nothing."""
    said = set(words(name))
    if not said & GRIPPER or said & NO_OPENING:
        return None
    return -bool(said & (COMMAND | {'position', 'positions'}))


def instruction_rank(name: str) -> int | None:
    """Return the rank of a topic that may hold the instruction, None where it is none."""
    if is_(OWN_INSTRUCTION, name):
        return -1
    last = set(words(name.rpartition('/')[2]))
    if last & ABOUT:
        return None
    # In the name itself a word says more than in its namespace.
    for add, said in ((0, last), (len(INSTRUCTION), set(words(name)))):
        ranks = [rank for rank, word in enumerate(INSTRUCTION) if {word, f'{word}s'} & said]
        if ranks:
            return ranks[0] + add
    return None


def proprio_rank(name: str) -> int:
    """Return the rank of a topic that may hold proprioception."""
    said = words(name)
    if 'proprio' in said or 'proprioception' in said:
        return -2
    return -(name.rpartition('/')[2] == 'joint_states')


def is_hand(name: str) -> bool:
    """Say whether a camera's name says that the arm carries it."""
    return bool(set(words(name)) & HAND)


def is_depth(name: str) -> bool:
    """Say whether a camera's name says that it sees distances."""
    return any(word in ('depth', 'disparity', 'infra') for word in words(name))
