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


"""Tests of the scripted expert: it succeeds, remembers nothing, and labels any instruction."""

from dataclasses import replace

import numpy as np
import pytest

from vla_accel_ros.sim.env import ACTION_HIGH, ACTION_LOW
from vla_accel_ros.sim.expert import LIFT, Expert
from vla_accel_ros.sim.expert_check import run_episode
from vla_accel_ros.sim.hand import FINGER_OPEN, FINGER_THICK
from vla_accel_ros.sim.scene import BIN_HALF, BIN_WALL
from vla_accel_ros.sim.tasks import all_instructions


@pytest.mark.parametrize('instruction', all_instructions())
def test_it_succeeds_on_every_instruction(blind, instruction):
    ends = [run_episode(blind, instruction, seed)[0] for seed in range(6)]
    assert ends == [True] * 6


@pytest.mark.parametrize('instruction', all_instructions())
def test_it_succeeds_when_its_actions_are_disturbed(blind, instruction):
    random = np.random.default_rng(0)

    def disturbed(action):
        noise = 0.15 * random.standard_normal(6) * np.repeat([0.02, 0.1], 3)
        return action + np.append(noise, 0.0)

    assert all(run_episode(blind, instruction, seed, disturbed)[0] for seed in range(3))


def test_it_labels_every_instruction_in_the_same_state(blind):
    expert = Expert()
    blind.reset(seed=0)
    labels = {words: expert.action(blind.state(), words) for words in all_instructions()}
    state = blind.state()
    for words, label in labels.items():
        assert np.all(label >= ACTION_LOW - 1e-6) and np.all(label <= ACTION_HIGH + 1e-6)
        toward = state.cubes[words.split()[words.split().index('cube') - 1]] - state.ee_position
        assert label[:2] @ toward[:2] > 0


def test_it_remembers_nothing(blind):
    """The same state gives the same action, whatever was asked before."""
    expert = Expert()
    blind.reset(seed=0)
    state, words = blind.state(), all_instructions()[0]
    first = expert.action(state, words)
    for _ in range(20):
        blind.advance(expert.action(blind.state(), all_instructions()[7]))
        expert.action(blind.state(), all_instructions()[9])
    assert np.array_equal(expert.action(state, words), first)
    assert np.array_equal(Expert().action(state, words), first)


def test_it_lifts_at_one_speed_from_the_first_step(blind):
    """A lift that starts near zero teaches a clone to hover after the grasp."""
    expert = Expert()
    words = 'pick up the green cube'
    blind.reset(seed=1, options={'task': words})
    rises, held = [], 0
    while held < 3:
        action = expert.action(blind.state(), words)
        if action[6] == 1.0 and action[2] > 0.002:
            rises.append(action[2])
        held = held + 1 if blind.advance(action) else 0
    assert rises == pytest.approx([LIFT] * len(rises), rel=0.02)
    assert len(rises) > 6


def test_its_fingers_miss_the_wall_of_a_bin_close_to_the_cube(blind):
    words = 'pick up the blue cube'
    blind.reset(seed=1010014, options={'task': words})
    gap = blind.state().bin_position[1] - blind.state().cubes['blue'][1] - BIN_HALF - BIN_WALL
    assert gap < FINGER_OPEN + FINGER_THICK
    assert run_episode(blind, words, 1010014) == (True, pytest.approx(32, abs=6))


@pytest.mark.parametrize(
    'words',
    ['pick up the red cube and place it in the bin', 'stack the red cube on the blue cube'],
)
def test_a_carried_cube_comes_down_no_steeper_than_places_can_be_told_apart(blind, words):
    """A clone between 'down' and 'straight up' takes what both agree on, and stands still."""
    blind.reset(seed=0, options={'task': words})
    for _ in range(40):
        blind.advance(Expert().action(blind.state(), words))
    state = blind.state()
    goal = state.cubes['blue'] if words.startswith('stack') else state.bin_position

    def rise(sideways):
        to = np.array([goal[0] + sideways, goal[1], 0.095])
        moved = {**state.cubes, 'red': to}
        tool = state.ee_position + to - state.cubes['red']
        return Expert().action(replace(state, cubes=moved, ee_position=tool), words)[2]

    rises = np.array([rise(0.001 * mm) for mm in range(50)])
    assert rises[0] < -0.003 < 0.003 < rises[-1]
    assert np.abs(rises[5:] - rises[:-5]).max() < 0.004


def test_it_follows_a_change_of_mind(blind):
    expert = Expert()
    blind.reset(seed=11, options={'task': 'pick up the red cube'})
    for _ in range(26):
        blind.advance(expert.action(blind.state(), blind.task))
    blind.set_task('pick up the blue cube and place it in the bin')
    for _ in range(150):
        if blind.advance(expert.action(blind.state(), blind.task)):
            break
    else:
        pytest.fail('the second instruction was not carried out')


def test_an_unknown_instruction_is_refused(blind):
    blind.reset(seed=0)
    with pytest.raises(ValueError, match='expected one of'):
        Expert().action(blind.state(), 'fly')
