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


"""The list of processes: what each deployment starts, and how."""

from dataclasses import replace
from importlib.util import find_spec
import json
import os
from pathlib import Path
import select
import shutil
import signal
import subprocess
import sys

from checkpoints import SIZE, random_checkpoint
from hypothesis import given
from hypothesis import strategies as st
import pytest
import yaml

from vla_accel_ros.graph.parameter_file import NODES, settings_of
from vla_accel_ros.graph.processes import Deployment, environment, processes, watcher
from vla_accel_ros.ros import parent

ROOT = Path(__file__).parents[2]


def named(deployment):
    return {process.name: process for process in processes(deployment)}


@pytest.mark.parametrize('markers', [False, True])
@pytest.mark.parametrize('sim', [False, True])
def test_every_node_is_listed_once_and_arm_and_markers_only_where_asked_for(sim, markers):
    listed = [process.name for process in processes(Deployment(sim=sim, markers=markers))]
    left_out = {'sim_arm': not sim, 'markers': not markers}
    assert listed == [name for name in NODES if not left_out.get(name)]


def test_markers_change_nothing_of_the_other_processes():
    plain, looked_on = named(Deployment(sim=True)), named(Deployment(sim=True, markers=True))
    assert {name: looked_on[name] for name in plain} == plain
    assert 'markers' not in named(Deployment(markers=True, side='gpu'))


def test_every_parameter_that_a_deployment_sets_is_one_of_the_nodes(tmp_path):
    folder = random_checkpoint(tmp_path)
    deployment = Deployment(
        sim=True, checkpoint=str(folder), instruction='pick up the red cube', device='cpu'
    )
    for process in processes(deployment):
        known = {setting.name: setting for setting in settings_of(process.name)}
        for name, value in process.parameters.items():
            if name != 'use_sim_time':
                known[name].check(value)


def test_the_camera_fits_its_views_to_what_the_checkpoint_wants(tmp_path):
    folder = random_checkpoint(tmp_path)
    camera = named(Deployment(checkpoint=str(folder)))['camera'].parameters
    assert (camera['image_size'], camera['resize']) == (SIZE, 'resize-naive')
    assert 'filter' not in camera
    cropping = tmp_path / 'cropping'
    shutil.copytree(folder, cropping)
    config = json.loads((folder / 'config.json').read_text())
    config['vla_accel']['centre_crop'] = 0.9
    (cropping / 'config.json').write_text(json.dumps(config))
    fitting = named(Deployment(checkpoint=str(cropping)))['camera'].parameters
    assert fitting['filter'] == 'lanczos'
    elsewhere = named(Deployment(checkpoint='someone/on-the-hub'))['camera'].parameters
    assert 'image_size' not in elsewhere


def test_the_instruction_is_the_task_of_the_simulated_arm_where_it_knows_it():
    known = named(Deployment(sim=True, instruction='Pick up the blue cube.'))
    assert known['sim_arm'].parameters['task'] == 'pick up the blue cube'
    assert known['scheduler'].parameters['instruction'] == 'Pick up the blue cube.'
    assert 'task' not in named(Deployment(sim=True, instruction='make tea'))['sim_arm'].parameters


def test_with_simulated_time_the_simulated_arm_is_stepped_and_drives_the_clock():
    listed = named(Deployment(sim=True, use_sim_time=True))
    assert listed['sim_arm'].parameters['real_time'] is False
    assert listed['sim_arm'].parameters['use_sim_time'] is False
    assert listed['scheduler'].parameters['use_sim_time'] is True
    assert listed['arm_command'].parameters['max_rate'] == 20.0


def test_a_preset_says_how_to_accelerate_and_leaves_the_robots_limits_alone():
    plain, paper = named(Deployment()), named(Deployment(preset='sp_vla'))
    assert paper['arm_command'] == plain['arm_command']
    assert paper['camera'] == plain['camera']
    assert paper['scheduler'].parameters['rule'] == 'velocity'
    assert paper['inference'].parameters['pruning'] == 'sp_vla'
    for process in paper.values():
        known = {setting.name: setting for setting in settings_of(process.name)}
        for name in set(process.parameters) - {'use_sim_time'}:
            known[name].check(process.parameters[name])


def test_fast_is_the_same_whatever_the_parameter_file_says(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text(
        '/**/scheduler: {ros__parameters: {rule: velocity, predictor: ridge, prefetch_rows: 0,\n'
        '  gripper_guard: true, replan_on_fine: true, trust_longest: 0.9, trust_linear: 0.5}}\n'
        '/**/inference: {ros__parameters: {pruning: fastv, decoder: greedy, draft: none}}\n'
    )
    over, plain = Deployment(preset='fast', params_file=str(file)), Deployment()
    for node in ('scheduler', 'inference'):
        process, defaults = named(over)[node], named(plain)[node].parameters
        known = {setting.name: setting.default for setting in settings_of(node)} | defaults
        assert {**known, **process.given, **process.parameters} == known


def test_a_preset_without_pruning_takes_back_what_the_file_below_says_of_another_method():
    inference = named(Deployment(preset='fast'))['inference']
    assert inference.parameters['pruning'] == 'none'
    assert inference.parameters['pruning_parameters'] == ''


def test_a_preset_that_would_set_more_than_acceleration_is_refused(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**/arm_command: {ros__parameters: {max_linear: 5.0}}')
    with pytest.raises(ValueError, match='arm_command'):
        Deployment(preset=str(file))


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('/**/scheduler: {ros__parameters: {rule: trust,', 'is no YAML'),
        ('/**/scheduler:\n  rule: trust\n', 'line 2: expected ros__parameters'),
        (
            '/**/scheduler: {ros__parameters: {v_min: -5, rule: velocity, predictor: ridge,\n'
            '  gripper_guard: true, prefetch_rows: 0, replan_on_fine: true}}\n'
            '/**/inference: {ros__parameters: {pruning: none, decoder: greedy}}\n',
            'v_min is -5',
        ),
    ],
)
def test_a_preset_that_the_nodes_would_not_take_is_refused_by_name(tmp_path, text, complaint):
    file = tmp_path / 'mine.yaml'
    file.write_text(text)
    with pytest.raises(ValueError, match=f"preset '.*mine.yaml'.*{complaint}"):
        processes(Deployment(preset=str(file)))


def test_values_that_do_not_fit_together_are_refused_before_anything_starts(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**/arm_command: {ros__parameters: {gripper.open_below: 0.9}}')
    with pytest.raises(ValueError, match=r'mine\.yaml: the parameters of arm_command do not'):
        processes(Deployment(params_file=str(file)))


@given(
    st.text(
        alphabet=st.characters(exclude_categories=('Cs', 'Cc', 'Cf', 'Cn', 'Co', 'Zl', 'Zp')),
        min_size=1,
    ).filter(str.strip)
)
def test_a_text_reaches_the_command_line_as_that_text_whatever_it_looks_like(text):
    command = named(Deployment(instruction=text))['scheduler'].command(Deployment())
    value = next(word for word in command if word.startswith('instruction:='))
    assert yaml.safe_load(value.removeprefix('instruction:=')) == text


def test_a_node_runs_as_a_module_with_the_whole_deployment_on_its_command_line():
    deployment = Deployment(namespace='/left/', log_level='warn')
    command = named(deployment)['camera'].command(deployment)
    assert command[:4] == [sys.executable, '-m', 'vla_accel_ros.nodes.camera', '--ros-args']
    assert '__ns:=/left' in command
    assert 'left.camera:=warn' in command


def test_a_node_gets_what_was_read_in_the_parameter_file_whatever_becomes_of_that(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text(
        '/**: {ros__parameters: {frame_id: panda}}\n'
        'arm_command: {ros__parameters: {workspace.min: [0, -1, 0], limits.linear_speed: 0.75}}\n'
        '/inference: {ros__parameters: {checkpoint: other, threads: 2}}\n'
    )
    deployment = Deployment(params_file=str(file))
    listed = named(deployment)
    file.write_text('')
    arm = listed['arm_command'].command(deployment)
    assert 'frame_id:="panda"' in arm and 'workspace.min:=[0.0, -1.0, 0.0]' in arm
    # A default is not said again.
    assert not any('linear_speed' in word for word in arm)
    inference = listed['inference'].command(deployment)
    # What the deployment says goes before the file.
    assert 'checkpoint:="tabletop-s"' in inference and 'threads:=2' in inference
    assert '--params-file' not in arm


def test_arguments_are_read_as_a_launch_file_has_them():
    deployment = Deployment.from_words(
        {
            'sim': 'True',
            'image_topics': 'a/image_raw, b/compressed',
            'device': ' cuda ',
            'autostart': '0',
        }
    )
    assert deployment == Deployment(
        sim=True, image_topics=('a/image_raw', 'b/compressed'), device='cuda', autostart=False
    )


@pytest.mark.parametrize(
    ('words', 'complaint'),
    [
        ({'sim': 'perhaps'}, "sim is 'perhaps', expected true or false"),
        ({'simulated': 'true'}, 'simulated is no argument'),
        ({'log_level': 'loud'}, "log_level is 'loud'"),
        ({'params_file': '/nowhere.yaml'}, 'nowhere.yaml is not there'),
        ({'params_file': '/tmp'}, '/tmp is a folder'),
        ({'params_file': '/dev/zero'}, '/dev/zero is no regular file'),
        ({'preset': '/tmp'}, "preset '/tmp' is a folder"),
        ({'instuction': 'lift'}, 'instuction is no argument, did you mean instruction'),
        ({'speed': '3'}, 'speed is no argument, expected one of sim, checkpoint'),
        ({'device': 'gpu0'}, "'gpu0' is none, expected auto, cpu, cuda or cuda:1"),
        ({'namespace': 'left arm'}, "namespace is 'left arm'"),
        ({'namespace': 'left//arm'}, "namespace is 'left//arm'"),
        ({'namespace': 'left__arm'}, "namespace is 'left__arm'"),
        ({'namespace': 'a' * 300}, 'namespace has 300 characters, expected at most 150'),
        ({'params_file': '~nosuchuser/a.yaml'}, '~nosuchuser/a.yaml is not there'),
        ({'preset': '~nosuchuser/a.yaml'}, "preset '~nosuchuser/a.yaml' is not there"),
        ({'preset': 'faster'}, "no preset 'faster', expected a file or one of diffusion_fast"),
        ({'preset': '/nowhere.yaml'}, 'nowhere.yaml'),
    ],
)
def test_bad_arguments_are_refused_by_name(words, complaint):
    with pytest.raises((ValueError, FileNotFoundError), match=complaint):
        Deployment.from_words(words)


def test_every_process_gets_the_shared_memory_profile_unless_the_user_has_one(monkeypatch):
    monkeypatch.delenv('FASTRTPS_DEFAULT_PROFILES_FILE', raising=False)
    assert environment()['FASTRTPS_DEFAULT_PROFILES_FILE'] == str(ROOT / 'config/fastdds.xml')
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', 'mine.xml')
    assert 'FASTRTPS_DEFAULT_PROFILES_FILE' not in environment()


LAUNCHER = """
import os, subprocess, sys
from vla_accel_ros.ros import parent
child = subprocess.Popen(
    sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    env={**os.environ, parent.VARIABLE: str(os.getpid())})
for line in child.stdout:
    if 'up' in line:
        break
print(child.pid, flush=True)
child.wait()
"""
CHILD = """
import select, sys
from vla_accel_ros.ros import parent, spin
stop = spin.StopSignal()
assert parent.end_with_parent()
print('up', flush=True)
while not stop:
    select.select([], [], [], 0.01)
open(sys.argv[1], 'w').write(str(stop.signum))
"""


def test_a_node_ends_cleanly_when_its_launcher_is_killed(tmp_path):
    end = tmp_path / 'end'
    launcher = subprocess.Popen(
        [sys.executable, '-c', LAUNCHER, sys.executable, '-c', CHILD, str(end)],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    child = int(launcher.stdout.readline())
    watch = os.pidfd_open(child)
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()
    assert select.select([watch], [], [], 20)[0], 'the child is still there'
    os.close(watch)
    assert end.read_text() == str(int(signal.SIGINT))


def test_a_process_may_be_given_other_topics():
    inference = replace(processes(Deployment())[2], remaps={'vla/action_chunk': 'held/chunk'})
    words = inference.command(Deployment())
    assert words[words.index('vla/action_chunk:=held/chunk') - 1] == '-r'


def test_the_watcher_waits_for_the_nodes_that_are_started():
    deployment = Deployment(namespace='left', markers=True)
    words = watcher(deployment, processes(deployment))
    assert words[words.index('--namespace') + 1] == 'left'
    assert words[words.index('--nodes') + 1 :] == [
        'camera',
        'scheduler',
        'inference',
        'arm_command',
    ]


def test_a_node_that_was_started_from_a_shell_is_left_alone(monkeypatch):
    monkeypatch.delenv(parent.VARIABLE, raising=False)
    assert parent.end_with_parent() is False


if find_spec('launch_ros') is not None:

    def test_the_launch_files_arguments_are_those_of_the_deployment():
        from launch.actions import DeclareLaunchArgument
        from launch.launch_description_sources import (
            get_launch_description_from_python_launch_file,
        )

        described = get_launch_description_from_python_launch_file(
            str(ROOT / 'launch/arm.launch.py')
        )
        declared = {
            entity.name: entity.default_value[0].text if entity.default_value else ''
            for entity in described.entities
            if isinstance(entity, DeclareLaunchArgument)
        }
        assert Deployment.from_words(declared) == Deployment()
