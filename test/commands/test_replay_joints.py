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

"""Replaying what a robot of two arms did, from a bag and from a LeRobot dataset."""

import json

import bags
from joint_checkpoints import joint_checkpoint
from joint_robots import ALOHA, robot_space
import numpy as np
import pytest

from vla_accel_ros import cli
from vla_accel_ros.action_columns import ColumnKind

WORDS = 'fold the shirt'
START, STEP, NS = bags.START, bags.STEP, bags.NS
CAMERAS = ('/high/image_raw', '/left/image_raw', '/right/image_raw')
STATES = [word for name in ALOHA.names for word in ('--proprio-name', name)]


def row(k):
    """Give the action of step `k`; the left gripper closes."""
    values = 0.01 * k + 0.1 * np.arange(ALOHA.width)
    values[ALOHA.grippers] = (float(k > 3), 0.0)
    return values


def episode(start, first):
    lines = [bags.string('/vla/instruction', start - 1, WORDS)]
    for k in range(8):
        ns = start + k * STEP
        state = dict(zip(ALOHA.names, row(k - 1), strict=True))
        lines += [bags.joints('/joint_states', ns, **state)]
        lines += [bags.image(c, ns, bags.picture(first + k)) for c in CAMERAS]
        lines += [bags.trajectory('/vla/action', ns, row(k), names=ALOHA.names)]
    return lines


@pytest.fixture(scope='module')
def robot(tmp_path_factory):
    """Give a folder with a bag, a checkpoint, and the files of spaces."""
    folder = tmp_path_factory.mktemp('aloha')
    joint_checkpoint(folder / 'checkpoint', ALOHA, [WORDS], chunk=4)
    bags.write(folder / 'bag', [*episode(START, 0), *episode(START + 10 * NS, 50)])
    steps = robot_space(6, ('left', 'right'), ColumnKind.JOINT_DISPLACEMENT)
    for name, space in (('aloha', ALOHA), ('steps', steps)):
        (folder / f'{name}.json').write_text(json.dumps(space.to_values()))
    return folder


def run(robot, source, out, *words, methods='none'):
    command = ['replay', source, '--out', out, '--methods', methods]
    command += ['--checkpoint', robot / 'checkpoint', '--engine', 'eager', *words]
    return cli.main([*map(str, command)])


@pytest.fixture(scope='module')
def replayed(robot):
    """Replay the bag with two methods; give the folder."""
    methods = 'none,sp_vla@w_max=50,v_max=5,w_min=0,gripper_guard=false'
    assert run(robot, robot / 'bag', robot / 'out', *topics(), methods=methods) == 0
    return robot / 'out'


def topics(*words):
    return [*(w for c in CAMERAS for w in ('--image-topic', c)), *STATES, *words]


def results(out):
    return json.loads((out / 'results.json').read_text())


def first(out):
    """Give what was measured of the first method."""
    return results(out)['methods'][0]['values']


def test_methods_are_judged_in_radians_and_what_the_arms_did_is_told(replayed):
    found = results(replayed)
    assert (found['steps'], found['action_space']) == (16, ALOHA.to_values())
    units = {m['key']: m['unit'] for m in found['measures']}
    assert units['reference_joint_rad'] == units['recorded_drift_1s_rad'] == 'rad'
    assert units['joint_speed_rad_s_p95'] == 'rad/s'
    assert not [key for key in units if '_mm' in key or '_deg' in key]
    none, other = (method['values'] for method in found['methods'])
    assert none['recorded_joint_rad']['value'] > 0
    assert none['joint_speed_rad_s_max']['value'] > 0
    assert other['reference_joint_rad']['value'] >= 0
    page = (replayed / 'report.html').read_text()
    assert 'error, rad' in page and 'speed, rad/s' in page


def test_a_dataset_of_joints_says_what_the_bag_says(robot, replayed, tmp_path, capsys):
    space = ['--action-space', robot / 'aloha.json', '--proprio-topic', '/joint_states']
    command = ['lerobot', robot / 'bag', '--out', tmp_path / 'data', *space, *topics()]
    assert cli.main([*map(str, command)]) == 0
    info = json.loads((tmp_path / 'data/meta/info.json').read_text())
    assert info['features']['action']['names'] == list(ALOHA.names)
    assert run(robot, tmp_path / 'data', tmp_path / 'out') == 0
    one, other = first(replayed), first(tmp_path / 'out')
    for key in ('recorded_joint_rad', 'recorded_gripper_agreement', 'recorded_drift_1s_rad'):
        assert (one[key] is None) == (other[key] is None)
    assert other['recorded_joint_rad']['value'] == pytest.approx(
        one['recorded_joint_rad']['value'], rel=1e-4
    )
    assert 'off bag rad' in capsys.readouterr().out
    steps = '--action-space', robot / 'steps.json'
    assert run(robot, tmp_path / 'data', tmp_path / 'no', *steps) == 2
    said = capsys.readouterr().err
    assert 'joint_displacement left_joint1' in said and 'joint_position left_joint1' in said


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['--action-space', 'steps.json'], ('joint_displacement left_joint1', 'has joint_pos')),
        (['--action-space', 'end_effector'], ('translation x y z', 'left_joint1')),
    ],
)
def test_a_robot_of_another_space_is_refused_with_both(robot, tmp_path, capsys, words, said):
    option, value = words
    value = robot / value if value.endswith('.json') else value
    assert run(robot, robot / 'bag', tmp_path / 'out', *topics(option, value)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert all(word in error for word in said)
    assert not (tmp_path / 'out').exists()


def test_a_recording_of_a_tool_is_refused_by_a_checkpoint_of_joints(robot, tmp_path, capsys):
    lines = [line for line in episode(START, 0) if line.topic != '/vla/action']
    lines += [bags.trajectory('/vla/action', START + k * STEP, bags.action(k)) for k in range(8)]
    bags.write(tmp_path / 'tool', lines)
    assert run(robot, tmp_path / 'tool', tmp_path / 'out', *topics()) == 2
    said = capsys.readouterr().err
    assert '/vla/action has actions of x y z roll pitch yaw gripper' in said
    assert 'the checkpoint has joint_position left_joint1' in said
