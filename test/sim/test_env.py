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


"""Tests of the gymnasium interface: seeds, episodes, wrong inputs, saved states."""

import gymnasium
from gymnasium.utils.env_checker import check_env
import numpy as np
import pytest

from vla_accel_ros.sim.env import HOLD_STEPS, TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.sim.scene import COLOURS
from vla_accel_ros.sim.tasks import all_instructions

LIFT = 'pick up the red cube'


def rollout(env, seed, steps=12):
    observation, _ = env.reset(seed=seed)
    random = np.random.default_rng(seed)
    for _ in range(steps):
        observation = env.step(random.uniform(-0.02, 0.02, 7))[0]
    return env.instruction, env.data.qpos.copy(), observation


def test_it_passes_gymnasiums_own_checker():
    env = gymnasium.make(
        'vla_accel_ros.sim.env:vla_accel_ros/Tabletop-v0', image_size=32, render_mode='rgb_array'
    )
    check_env(env.unwrapped)
    env.close()


def test_a_seed_decides_the_episode_to_the_last_bit(seeing):
    other = TabletopEnv()
    first, second = rollout(seeing, 7), rollout(other, 7)
    assert first[0] == second[0]
    assert np.array_equal(first[1], second[1])
    assert all(np.array_equal(first[2][key], second[2][key]) for key in first[2])
    assert not np.array_equal(rollout(other, 8)[1], first[1])
    other.close()


def test_the_instruction_does_not_change_the_layout(blind):
    """So the same frame can be labelled for every instruction, and methods be compared."""
    blind.reset(seed=5, options={'task': LIFT})
    before = blind.data.qpos.copy()
    blind.reset(seed=5, options={'task': all_instructions()[-1]})
    assert np.array_equal(blind.data.qpos, before)


def test_resets_without_a_seed_differ_and_draw_every_instruction(blind):
    blind.reset(seed=0)
    starts, asked = set(), set()
    for _ in range(120):
        blind.reset()
        starts.add(blind.data.qpos.tobytes())
        asked.add(blind.instruction)
    assert len(starts) == 120
    assert asked == set(all_instructions())


def test_cubes_start_apart_at_rest_within_reach_and_off_the_bin(blind):
    for seed in range(60):
        blind.reset(seed=seed)
        start = blind.state()
        places = np.array([start.cubes[c][:2] for c in COLOURS])
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(3)
        assert gaps.min() > 0.10
        assert np.linalg.norm(places - start.bin_position[:2], axis=1).min() > 0.11
        assert max(abs(start.yaw(c)) for c in COLOURS) <= 0.30 + 1e-6
        for _ in range(4):
            blind.advance(np.zeros(7))
        assert max(np.linalg.norm(blind.state().cubes[c] - start.cubes[c]) for c in COLOURS) < 1e-3


def test_it_ends_only_after_success_has_held(blind):
    expert = Expert()
    blind.reset(seed=3, options={'task': LIFT})
    rewards, terminated = [], False
    while not terminated:
        _, reward, terminated, truncated, info = blind.step(expert.action(blind.state(), LIFT))
        rewards.append(reward)
        assert not truncated
        assert info['success'] == terminated
    assert rewards[-HOLD_STEPS:] == [1.0] * HOLD_STEPS
    assert sum(rewards) == HOLD_STEPS


@pytest.mark.parametrize(
    ('asked', 'limit', 'steps'),
    [(LIFT, None, 120), ('stack the red cube on the blue cube', None, 200), (LIFT, 5, 5)],
)
def test_it_is_cut_off_after_the_tasks_own_or_the_given_number_of_steps(asked, limit, steps):
    env = TabletopEnv(task=asked, cameras=(), max_steps=limit)
    env.reset(seed=0)
    cut = [env.step(np.zeros(7))[3] for _ in range(steps)]
    assert cut == [False] * (steps - 1) + [True]


@pytest.mark.parametrize(
    'action',
    [
        [0.0] * 6,
        [0.0] * 8,
        [[0.0] * 7],
        0.0,
        [],
        None,
        ['a'] * 7,
        'abcdefg',
        [0, 0, 0, 0, 0, 0, np.nan],
        [np.inf, 0, 0, 0, 0, 0, 0],
        [0, -np.inf, 0, 0, 0, 0, 0],
    ],
)
def test_a_wrong_action_is_refused_and_moves_nothing(blind, action):
    blind.reset(seed=1)
    before, counted = blind.save_state().physics, blind.save_state().counters
    with pytest.raises(ValueError, match='action'):
        blind.step(action)
    assert np.array_equal(blind.save_state().physics, before)
    assert blind.save_state().counters == counted


def test_an_action_beyond_the_box_is_cut_to_it(blind):
    blind.reset(seed=1)
    blind.advance([9.0, -9.0, 9.0, 9.0, -9.0, 9.0, 9.0])
    beyond = blind.data.qpos.copy()
    blind.reset(seed=1)
    blind.advance([0.03, -0.03, 0.03, 0.15, -0.15, 0.15, 1.0])
    assert np.allclose(blind.data.qpos, beyond, atol=1e-7)


def test_wrong_arguments_are_named_and_leave_the_episode_alone(blind):
    blind.reset(seed=1, options={'task': LIFT})
    before = blind.save_state().physics
    with pytest.raises(ValueError, match='expected one of'):
        blind.reset(options={'task': 'fly'})
    with pytest.raises(ValueError, match='tusk'):
        blind.reset(options={'tusk': LIFT})
    with pytest.raises(ValueError, match='expected one of'):
        blind.set_task('fly')
    assert blind.instruction == LIFT
    assert np.array_equal(blind.save_state().physics, before)


@pytest.mark.parametrize(
    ('arguments', 'named'),
    [
        ({'task': 'fly'}, 'fly'),
        ({'render_mode': 'human'}, 'human'),
        ({'max_steps': 0}, 'max_steps'),
        ({'image_size': 3}, 'image size'),
        ({'image_size': 'big'}, 'image size'),
    ],
)
def test_a_wrong_construction_is_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        TabletopEnv(**arguments)


def test_the_task_can_be_changed_without_moving_anything(blind):
    blind.reset(seed=1, options={'task': LIFT})
    before = blind.save_state().physics
    blind.set_task('pick up the blue cube')
    assert blind.instruction == 'pick up the blue cube'
    assert np.array_equal(blind.save_state().physics, before)


def test_a_saved_state_comes_back_to_the_last_bit(blind):
    expert = Expert()
    blind.reset(seed=6, options={'task': LIFT})
    for _ in range(24):
        blind.advance(expert.action(blind.state(), LIFT))
    saved = blind.save_state()
    ends = []
    for _ in range(2):
        blind.restore_state(saved)
        for _ in range(15):
            blind.advance(expert.action(blind.state(), LIFT))
        ends.append(blind.data.qpos.copy())
    assert np.array_equal(ends[0], ends[1])


def test_proprioception_tells_pose_and_fingers(blind):
    observation, _ = blind.reset(seed=2)
    position, _ = blind.ee_pose()
    proprio = observation['proprio']
    assert np.allclose(proprio[:3], position, atol=1e-6)
    assert np.allclose(proprio[3:5], 0.0, atol=1e-3) and abs(proprio[5]) <= 0.11
    assert proprio[6] == pytest.approx(0.08, abs=1e-4)
    assert blind.step([0, 0, 0, 0, 0, 0, 1])[0]['proprio'][7] == 1.0


def test_rendering_is_as_asked_for(seeing, blind):
    seeing.reset(seed=0)
    assert np.array_equal(seeing.render(), seeing.render_camera('agent'))
    assert blind.render() is None
