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

"""LIBERO by its protocol, where LIBERO is installed."""

import json
import os

import numpy as np
import pytest

from vla_accel_ros.cli import main
from vla_accel_ros.environments import libero_protocol as protocol
from vla_accel_ros.environments.libero_env import LiberoKind
from vla_accel_ros.environments.libero_import import import_libero

pytest.importorskip('libero', reason='LIBERO is not installed: see docs/environments.md')

GOAL = LiberoKind('libero_goal')
FIRST = 'open the middle drawer of the cabinet'


def test_libero_that_was_never_set_up_is_not_let_ask_on_the_terminal(monkeypatch, tmp_path):
    monkeypatch.setenv('LIBERO_CONFIG_PATH', str(tmp_path))
    with pytest.raises(ValueError, match=r'not set up, there is no .*config\.yaml: run'):
        import_libero('')
    assert os.listdir(tmp_path) == []


def test_a_suite_has_its_tasks_in_its_order():
    instructions = GOAL.instructions('all')
    assert len(instructions) == 10 and instructions[0] == FIRST
    assert LiberoKind('libero_goal', 0).instructions(FIRST) == (FIRST,)
    with pytest.raises(ValueError, match='use --env libero:libero_goal/1'):
        GOAL.instructions(instructions[1])
    with pytest.raises(ValueError, match='no task 10, expected 0 to 9'):
        LiberoKind('libero_goal', 10).instructions('all')


@pytest.fixture(scope='module')
def goal():
    environment = LiberoKind('libero_goal', 0).make(224, 4)
    yield environment
    environment.close()


def test_an_episode_starts_from_its_state_settled_and_shows_what_checkpoints_saw(goal):
    goal.reset(0, FIRST)
    view = goal.observe()
    assert [image.shape for image in view.images] == [(256, 256, 3)] * 2
    assert view.proprio.shape == (8,)
    # Ten steps of an opening gripper have passed, and the arm has not gone anywhere.
    assert view.proprio[6] - view.proprio[7] > 0.07
    # Mirrored, left for right, to what stands upright.
    assert np.array_equal(view.images[0][:, ::-1], goal.picture())


def test_states_differ_by_seed_and_come_again(goal):
    tools = []
    for seed in (0, 1, 0):
        goal.reset(seed, FIRST)
        goal.step(np.array([0.02, 0, 0, 0, 0, 0, 1.0]))
        tools.append(goal.tool_position())
    assert np.array_equal(tools[0], tools[2]) and not np.array_equal(tools[0], tools[1])


def test_the_suites_horizon_ends_an_episode():
    assert GOAL.make(224, None)._max_steps == protocol.HORIZONS['libero_goal']


def test_another_instruction_than_the_seeds_is_refused(goal):
    with pytest.raises(ValueError, match=f"asks '{FIRST}', the policy is told 'dance'"):
        goal.reset(0, 'dance')


def test_a_policy_is_judged_on_it(tmp_path, capsys):
    from random_checkpoints import write_random

    folder = write_random(tmp_path, [FIRST], key='libero_goal')
    assert (
        main(
            [
                'eval',
                '--env',
                'libero:goal/0',
                '--checkpoint',
                str(folder),
                '--episodes',
                '1',
                '--methods',
                'none',
                '--max-steps',
                '3',
                '--workers',
                '1',
                '--json',
            ]
        )
        == 0
    )
    (summary,) = json.loads(capsys.readouterr().out)['methods']
    assert summary['steps'] == 3 and summary['success'] == 0.0
