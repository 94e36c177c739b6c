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


"""Tests of instructions and success predicates."""

from dataclasses import replace

import numpy as np
import pytest

from vla_accel_ros.sim.scene import COLOURS, CUBE_HALF
from vla_accel_ros.sim.state import State
from vla_accel_ros.sim.tasks import all_instructions, all_tasks, parse, success


def resting(**cubes) -> State:
    positions = {'red': (0.45, -0.1), 'green': (0.5, 0.0), 'blue': (0.55, -0.15)}
    poses = {c: np.array([*positions[c], CUBE_HALF]) for c in COLOURS}
    poses.update({colour: np.array(place) for colour, place in cubes.items()})
    return State(
        ee_position=np.array([0.45, 0.0, 0.2]),
        ee_rotation=np.diag([1.0, -1.0, -1.0]),
        width=0.08,
        gripper=0.0,
        cubes=poses,
        rotations={c: np.eye(3) for c in COLOURS},
        bin_position=np.array([0.45, 0.18, 0.0]),
        time=0.0,
    )


def test_there_are_three_kinds_of_task_for_every_colour():
    for kind in ('lift', 'place', 'stack'):
        assert {task.colour for task in all_tasks(kind)} == set(COLOURS)
    assert len(set(all_instructions())) == len(all_tasks()) == 12


@pytest.mark.parametrize('task', all_tasks(), ids=lambda task: task.instruction)
def test_an_instruction_means_its_own_task(task):
    assert parse(task.instruction) == task
    assert parse(f'  {task.instruction.upper()}. ') == task


@pytest.mark.parametrize(
    'words', ['', 'fly', 'pick up the pink cube', None, 3, 'stack the red cube on the red cube']
)
def test_an_unknown_instruction_lists_the_ones_there_are(words):
    with pytest.raises(ValueError, match='pick up the red cube and place it in the bin'):
        parse(words)


def test_nothing_is_done_while_all_cubes_lie_on_the_table():
    assert not any(success(resting(), task) for task in all_tasks())


def test_lifting_counts_from_ten_centimetres_above_the_table():
    task = parse('pick up the red cube')
    assert not success(resting(red=(0.45, -0.1, CUBE_HALF + 0.09)), task)
    assert success(resting(red=(0.45, -0.1, CUBE_HALF + 0.11)), task)
    assert not success(resting(blue=(0.55, -0.15, CUBE_HALF + 0.11)), task)


def test_a_cube_is_placed_once_it_lies_in_the_bin_and_is_let_go():
    task = parse('pick up the red cube and place it in the bin')
    inside = resting(red=(0.46, 0.17, 0.030))
    assert success(inside, task)
    assert not success(replace(inside, width=2 * CUBE_HALF), task)
    assert not success(resting(red=(0.46, 0.17, 0.10)), task)
    assert not success(resting(red=(0.46, 0.05, 0.026)), task)
    assert not success(inside, parse('pick up the blue cube and place it in the bin'))


def test_a_cube_is_stacked_once_it_rests_on_the_right_one_and_is_let_go():
    task = parse('stack the red cube on the green cube')
    on_top = resting(red=(0.505, 0.004, 3 * CUBE_HALF))
    assert success(on_top, task)
    assert not success(replace(on_top, width=2 * CUBE_HALF), task)
    assert not success(on_top, parse('stack the green cube on the red cube'))
    assert not success(resting(red=(0.53, 0.0, 3 * CUBE_HALF)), task)
    assert not success(resting(red=(0.5, 0.0, 3 * CUBE_HALF + 0.03)), task)


@pytest.mark.parametrize('yaw', [-0.7, -0.3, 0.0, 0.3, 0.7])
@pytest.mark.parametrize('face', range(3))
def test_a_cube_has_the_same_yaw_whichever_face_it_lies_on(yaw, face):
    c, s = np.cos(yaw), np.sin(yaw)
    turned = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    fallen = np.roll(np.eye(3), face, axis=0)
    state = replace(resting(), rotations={'red': turned @ fallen})
    assert state.yaw('red') == pytest.approx(yaw, abs=1e-9)
