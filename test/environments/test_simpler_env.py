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

"""SimplerEnv's tasks and ManiSkill's own, where ManiSkill 3 is installed."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vla_accel_ros.environments import simpler_protocol as protocol
from vla_accel_ros.environments.rehearsal import rehearse
from vla_accel_ros.environments.settings import from_dict
from vla_accel_ros.environments.simpler_env import SimplerKind
from vla_accel_ros.environments.simpler_import import GET_ASSETS, import_maniskill

pytest.importorskip('mani_skill', reason='ManiSkill is not installed: make simpler')

pytestmark = [pytest.mark.timeout(300)]
STILL = np.zeros(7)


@pytest.fixture(scope='module')
def cube(vulkan, assets_of):
    assets_of(protocol.TASKS['cube'])
    environment = SimplerKind('cube').make(224, 12)
    yield environment
    environment.close()


@pytest.fixture
def drawn(cube, monkeypatch):
    """List the times that the scene is drawn."""
    times, scene = [], cube.env.unwrapped
    capture = scene.capture_sensor_data

    def count(*words):
        times.append(1)
        return capture(*words)

    monkeypatch.setattr(scene, 'capture_sensor_data', count)
    return times


def test_an_episode_lasts_until_its_horizon_and_draws_nothing(cube, drawn):
    outcome = rehearse(cube, 'random', 0, SimplerKind('cube').default_task)
    assert outcome.steps == 12 and not outcome.success and not outcome.at_end
    assert drawn == []
    view = cube.observe()
    assert view.images[0].shape == (480, 640, 3) and view.images[0].dtype == np.uint8
    assert drawn == [1]


def test_the_seed_picks_one_of_24_layouts(cube):
    places = []
    for seed in (0, 1, 24):
        cube.reset(seed, '')
        positions = [thing.pose.p.numpy().copy() for thing in cube.env.unwrapped.objs.values()]
        places.append(np.concatenate(positions))
    assert np.allclose(places[0], places[2], atol=1e-4)
    assert not np.allclose(places[0], places[1], atol=1e-2)


def test_a_step_is_a_fifth_of_a_second_in_the_frame_of_the_base(cube):
    assert cube.env.unwrapped.control_freq == protocol.CONTROL_HZ
    assert cube.step_s == pytest.approx(0.2)
    cube.reset(0, '')
    start = cube.tool_position()
    for _ in range(4):
        cube.step(np.array([0.02, 0, 0.01, 0, 0, 0, 0]))
    moved = cube.tool_position() - start
    # The base is turned by 180 degrees: forward is backward in the scene.
    assert moved[0] < -0.04 and moved[2] > 0.01 and abs(moved[1]) < 0.02


@pytest.mark.parametrize('axis', range(3))
def test_a_rotation_turns_the_tool_about_the_axes_of_the_base(cube, axis):
    def turned():
        pose = cube.env.unwrapped.agent.robot.links_map['ee_gripper_link'].pose
        return Rotation.from_quat(np.roll(pose.q[0].numpy(), -1))

    cube.reset(0, '')
    start, action = turned(), np.zeros(7)
    action[3 + axis] = 0.1
    for _ in range(4):
        cube.step(action)
    expected = np.zeros(3)
    # 0.4 rad less what the arm lags behind, about x and y of a base that is turned by 180 degrees.
    expected[axis] = 0.33 if axis == 2 else -0.33
    assert (turned() * start.inv()).as_rotvec() == pytest.approx(expected, abs=0.04)


def test_the_gripper_opens_at_0_and_closes_at_1(cube):
    widths = []
    for gripper in (0.0, 1.0):
        cube.reset(0, '')
        for _ in range(4):
            cube.step(np.array([0, 0, 0, 0, 0, 0, gripper]))
        widths.append(float(cube.env.unwrapped.agent.robot.qpos[0, -2:].sum()))
    assert widths[0] > widths[1] + 0.02


def test_success_is_kept_once_reached_and_told_at_the_end(cube, monkeypatch):
    cube.reset(0, '')
    told = iter([False, True, False])
    step = cube.env.step
    monkeypatch.setattr(
        cube.env, 'step', lambda action: (*step(action)[:4], {'success': next(told)})
    )
    outcomes = [cube.step(STILL) for _ in range(3)]
    assert [(o.success, o.now) for o in outcomes] == [(False, False), (True, True), (True, False)]
    assert not any(outcome.done for outcome in outcomes)


@pytest.mark.parametrize('task', ['carrot', 'spoon'])
def test_the_expert_puts_things_where_they_belong(task, vulkan, assets_of):
    assets_of(protocol.TASKS[task])
    environment = SimplerKind(task).make(224, None)
    # The last layout lies across the hand.
    for seed in (0, 23):
        outcome = rehearse(environment, 'expert', seed, SimplerKind(task).default_task)
        assert outcome.success and outcome.at_end
    environment.close()


def test_the_words_are_maniskills(cube):
    assert cube.env.unwrapped.get_language_instruction() == [SimplerKind('cube').default_task]


def test_a_task_of_maniskills_own_runs_through_the_generic_adapter_in_batches_of_one(vulkan):
    from vla_accel_ros.environments.gymnasium_env import GymnasiumKind

    import_maniskill()
    make = {'obs_mode': 'rgb', 'control_mode': 'pd_ee_delta_pose', 'num_envs': 1}
    make |= {'sim_backend': 'physx_cpu', 'render_backend': 'cpu'}
    kind = GymnasiumKind.find(
        'mani_skill.envs:PickCube-v1',
        from_dict(
            {
                'make': make,
                'instruction': 'pick up the cube',
                'proprio': ['extra.tcp_pose'],
                'actions': {'translation': 0.1, 'rotation': 0.1, 'gripper': [1, -1]},
                'step_s': 0.05,
                'max_steps': 3,
            }
        ),
    )
    assert kind.cameras == ('sensor_data.base_camera.rgb',)
    environment = kind.make(96, None)
    environment.reset(0, kind.default_task)
    view = environment.observe()
    assert view.images[0].shape == (128, 128, 3) and view.proprio.shape == (7,)
    outcomes = [environment.step(STILL) for _ in range(3)]
    assert [outcome.done for outcome in outcomes] == [False, False, True]
    environment.close()


def test_the_command_line_finds_the_driver_for_maniskills_own_tasks_by_itself(vulkan, tmp_path):
    settings = tmp_path / 'pick.yaml'
    settings.write_text(
        'make: {obs_mode: rgb, control_mode: pd_ee_delta_pose, num_envs: 1, '
        'sim_backend: physx_cpu, render_backend: cpu}\n'
        'instruction: pick up the cube\nstep_s: 0.05\nmax_steps: 3\n'
        'actions: {translation: 0.1, rotation: 0.1, gripper: [1, -1]}\n'
    )
    words = ['env', 'mani_skill.envs:PickCube-v1', '--env-config', str(settings)]
    words += ['--image-size', '128', '--policy', 'random', '--episodes', '1']
    variables = {key: value for key, value in os.environ.items() if key != 'VK_ICD_FILENAMES'}
    done = subprocess.run(
        [sys.executable, '-m', 'vla_accel_ros.cli', *words],
        check=False,
        capture_output=True,
        text=True,
        env=variables,
        timeout=240,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert 'random   0/1' in done.stdout


def test_what_is_said_to_download_the_assets_is_what_maniskill_takes():
    from mani_skill.utils.assets.data import DATA_SOURCES
    from mani_skill.utils.download_asset import parse_args

    import_maniskill()
    for command in GET_ASSETS.split('download all with ')[1].split(' && '):
        words = command.split(' mani_skill.utils.download_asset ')[1].split()
        asked = parse_args(words)
        assert asked.uid in DATA_SOURCES and asked.non_interactive


def test_other_names_are_refused_by_the_ones_there_are():
    with pytest.raises(ValueError, match="no task 'drawer' here, expected one of carrot, spoon"):
        SimplerKind.parse('drawer')
