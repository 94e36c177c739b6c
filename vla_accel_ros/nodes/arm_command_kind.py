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

"""The kinds of command that arm_command can send; one is chosen when the node is configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.inputs.space_file import read_space
from vla_accel_ros.safety.arm_guard import Command
from vla_accel_ros.safety.drive import Drive

TWIST, TRAJECTORY, POSITIONS = COMMANDS = ('twist', 'joint_trajectory', 'joint_positions')
# Where each goes.
TOPICS = {
    TWIST: 'servo_node/delta_twist_cmds',
    TRAJECTORY: 'joint_trajectory_controller/joint_trajectory',
    POSITIONS: 'forward_position_controller/commands',
}


class Kind(Protocol):
    """A kind of command: its topics, and the drive that decides what goes there.

    Attributes:
        drive: For the guard.
        publisher: What commands the arm goes through it.
        counted: What a command counts as on `/diagnostics`.
    """

    drive: Drive
    publisher: object
    counted: str

    def send(self, command: Command, period_s: float) -> None:
        """Publish what a command says; nothing where it has no values.

        Args:
            command: The guard's.
            period_s: Time to the next one, seconds.
        """

    def enabled(self) -> None:
        """Take note that the arm was enabled."""

    def close(self) -> None:
        """Let go of what the node does not own."""


def space_of(settings: Mapping[str, object]) -> ActionSpace:
    """Return the space of the actions, and check that the kind of command goes with it.

    Raises:
        ValueError: When there is no such space, or the command is of another kind.
    """
    space, command = read_space(settings['action_space']), settings['command']
    if command == TWIST and space != END_EFFECTOR:
        raise ValueError(
            f"command is 'twist' and action_space '{space.name}', expected "
            f"'{END_EFFECTOR.name}', or a command of joints"
        )
    if command != TWIST and (not len(space.moving) or any(p.kind.is_vector for p in space.parts)):
        raise ValueError(
            f"command is '{command}' and action_space '{space.name}' has the columns "
            f'{" ".join(space.names)}, expected joints and grippers only'
        )
    return space


def gripper_topics(space: ActionSpace) -> list[str]:
    """Return where each gripper is commanded: of several, by the name of its column."""
    names = [space.names[place] for place in space.grippers]
    return ['gripper_command'] if len(names) == 1 else [f'{name}_command' for name in names]
