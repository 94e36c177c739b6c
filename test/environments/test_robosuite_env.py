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

"""robosuite's Lift, where robosuite is installed."""

import gc
import json

import numpy as np
import pytest

from vla_accel_ros.cli import main
from vla_accel_ros.environments.rehearsal import rehearse
from vla_accel_ros.environments.robosuite_env import RobosuiteKind
from vla_accel_ros.sim.gl import import_mujoco

# First: robosuite imports mujoco too, without asking what renders here.
import_mujoco()
pytest.importorskip('robosuite', reason='robosuite is not installed: see docs/environments.md')

LIFT = RobosuiteKind('Lift')
WORDS = LIFT.default_task


@pytest.fixture(scope='module')
def lift():
    environment = LIFT.make(64, 60)
    yield environment
    environment.close()


@pytest.mark.parametrize('seed', range(3))
def test_the_expert_lifts_the_cube(lift, seed):
    assert rehearse(lift, 'expert', seed, WORDS).success


def test_random_actions_do_not(lift):
    outcome = rehearse(lift, 'random', 0, WORDS)
    assert not outcome.success and outcome.steps == 60


def test_an_episode_follows_from_its_seed_whatever_came_before(lift):
    def episode(seed):
        lift.reset(seed, WORDS)
        first = lift.observe()
        lift.step(np.array([0.02, 0, 0, 0, 0, 0.1, 1.0]))
        return first.images, lift.tool_position()

    (views, tool), _, (same, there) = episode(7), episode(8), episode(7)
    assert np.array_equal(tool, there)
    assert all(np.array_equal(a, b) for a, b in zip(views, same, strict=True))


def test_views_are_pictures_also_after_the_last_simulation_was_collected(lift):
    for seed in range(3):
        lift.reset(seed, WORDS)
        gc.collect()
        agent, wrist = lift.observe().images
        # A white table and a red cube: neighbours are alike, which memory is not.
        for view in (agent, wrist):
            assert np.abs(np.diff(view.astype(int), axis=0)).mean() < 10
            assert ((view[..., 0] > 90) & (view[..., 1] < 70)).sum() > 5


@pytest.mark.parametrize(('axis', 'sign'), [(0, 1), (1, -1), (2, 1)])
def test_the_tool_goes_where_it_is_told_along_the_base_axes(lift, axis, sign):
    lift.reset(0, WORDS)
    start = lift.tool_position()
    for _ in range(8):
        lift.step(np.array([0.03 * sign if i == axis else 0.0 for i in range(6)] + [0.0]))
    moved = lift.tool_position() - start
    assert sign * moved[axis] > 0.03 and np.abs(np.delete(moved, axis)).max() < 0.02


def test_an_open_gripper_opens_and_a_closed_one_closes(lift):
    widths = []
    for gripper in (0.0, 1.0):
        lift.reset(0, WORDS)
        for _ in range(15):
            lift.step(np.array([0, 0, 0, 0, 0, 0, gripper]))
        fingers = lift.observe().proprio[6:]
        widths.append(fingers[0] - fingers[1])
    assert widths[0] > 0.07 and widths[1] < 0.01


def test_a_policy_is_judged_on_it(random_checkpoint, capsys):
    assert (
        main(
            [
                'eval',
                '--env',
                'robosuite:Lift',
                '--checkpoint',
                str(random_checkpoint),
                '--episodes',
                '1',
                '--methods',
                'none,sp_vla',
                '--task',
                'pick up the red cube',
                '--max-steps',
                '3',
                '--workers',
                '1',
                '--json',
            ]
        )
        == 0
    )
    methods = json.loads(capsys.readouterr().out)['methods']
    assert [m['method'] for m in methods] == ['none', 'sp_vla']
    assert methods[0]['steps'] == 3 and methods[0]['model_calls'] == 3


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('Fly', "robosuite has no task 'Fly', expected one of: Door, Lift"),
        ('TwoArmLift', 'has two arms'),
    ],
)
def test_other_tasks_are_refused(name, said):
    with pytest.raises(ValueError, match=said):
        RobosuiteKind(name).make(64, None)


def test_tasks_without_an_expert_or_words_say_so():
    with pytest.raises(ValueError, match='no instruction of its own: give one by --task'):
        RobosuiteKind('Wipe').instructions('')
    environment = RobosuiteKind('Stack').make(64, 2)
    with pytest.raises(ValueError, match='robosuite:Stack has no scripted expert'):
        rehearse(environment, 'expert', 0, 'stack')
    environment.close()
