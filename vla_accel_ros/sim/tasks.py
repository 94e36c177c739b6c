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


"""What the arm can be asked to do, in words, and when it has been done."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
import re

import numpy as np

from vla_accel_ros.sim.scene import BIN_HALF, COLOURS, CUBE_HALF
from vla_accel_ros.sim.state import State

TASKS = {
    'lift': 'pick up the {colour} cube',
    'place': 'pick up the {colour} cube and place it in the bin',
    'stack': 'stack the {colour} cube on the {other} cube',
}
MAX_STEPS = {'lift': 120, 'place': 200, 'stack': 200}

LIFTED = CUBE_HALF + 0.10
RELEASED_WIDTH = 2 * CUBE_HALF + 0.006
_STACK_OFFSET = 0.020
_STACK_HEIGHT = 0.008


@dataclass(frozen=True)
class Task:
    """One thing to do.

    Attributes:
        kind: A key of `TASKS`.
        colour: The cube to be moved.
        other: The cube to stack on, None for the other kinds.
    """

    kind: str
    colour: str
    other: str | None = None

    @property
    def instruction(self) -> str:
        """The task in words."""
        return TASKS[self.kind].format(colour=self.colour, other=self.other)

    @property
    def max_steps(self) -> int:
        """Policy steps after which an episode is cut off."""
        return MAX_STEPS[self.kind]


def all_tasks(kind: str | None = None) -> tuple[Task, ...]:
    """Return every task there is, or those of one kind."""
    tasks = [Task(name, colour) for name in ('lift', 'place') for colour in COLOURS]
    tasks += [Task('stack', colour, other) for colour, other in permutations(COLOURS, 2)]
    return tuple(task for task in tasks if kind is None or task.kind == kind)


def all_instructions(kind: str | None = None) -> tuple[str, ...]:
    """Return every instruction there is, or those of one kind ('lift', 'place', 'stack')."""
    return tuple(task.instruction for task in all_tasks(kind))


def parse(instruction: str | Task) -> Task:
    """Return the task that an instruction means; case, spacing and a full stop do not matter.

    Raises:
        ValueError: When no task is meant; the message lists the instructions there are.
    """
    if isinstance(instruction, Task):
        return instruction
    words = re.sub(r'\s+', ' ', str(instruction)).strip().rstrip('.').lower()
    if words not in _BY_INSTRUCTION:
        raise ValueError(
            f'unknown instruction {instruction!r}, expected one of: ' + '; '.join(_BY_INSTRUCTION)
        )
    return _BY_INSTRUCTION[words]


_BY_INSTRUCTION = {task.instruction: task for task in all_tasks()}


def in_bin(state: State, colour: str) -> bool:
    """Return whether a cube's centre is inside the bin, below its rim."""
    offset = state.cubes[colour] - state.bin_position
    return bool(np.all(np.abs(offset[:2]) < BIN_HALF) and offset[2] < CUBE_HALF + 0.014)


def stacked(state: State, colour: str, other: str) -> bool:
    """Return whether a cube rests on another one that has stayed on the table."""
    offset = state.cubes[colour] - state.cubes[other]
    return bool(
        np.hypot(offset[0], offset[1]) < _STACK_OFFSET
        and abs(offset[2] - 2 * CUBE_HALF) < _STACK_HEIGHT
        and state.cubes[other][2] < CUBE_HALF + 0.010
    )


def success(state: State, task: Task) -> bool:
    """Return whether the task is done in this state.

    A cube is picked up when it is 10 cm above where it lay; placed or stacked only once the
    gripper has let go of it.
    """
    if task.kind == 'lift':
        return bool(state.cubes[task.colour][2] > LIFTED)
    if state.width < RELEASED_WIDTH:
        return False
    if task.kind == 'place':
        return in_bin(state, task.colour)
    return stacked(state, task.colour, task.other)
