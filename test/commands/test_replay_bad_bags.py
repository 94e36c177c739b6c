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

"""`vla-accel replay` on bags that are not what it would like them to be."""

import json

import bags
import pytest

START = bags.START


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return bags.write(tmp_path_factory.mktemp('recorded') / 'bag', bags.recording(6))


def results(tmp_path, out='out'):
    return json.loads((tmp_path / out / 'results.json').read_text())


def off_bag(found):
    return found['methods'][0]['values']['recorded_translation_mm']['value']


def test_a_servo_robots_bag_is_compared_by_its_twists(replay, tmp_path, capsys):
    lines = [line for line in bags.recording(6) if line.topic != '/vla/action']
    for k in range(6):
        ns = START + k * bags.STEP
        joints = bags.trajectory('/panda_arm_controller/joint_trajectory', ns, [0.0] * 7)
        joints.message.joint_names = [f'panda_joint{n}' for n in range(1, 8)]
        lines += [
            joints,
            bags.twist('/servo_node/delta_twist_cmds', ns, [0.1, 0, 0, 0, 0, 0]),
            bags.string('/bt/task_status', ns, 'RUNNING'),
        ]
    path = bags.write(tmp_path / 'bag', lines)
    assert replay(path) == 0
    found = results(tmp_path)
    assert found['bag']['roles']['chosen'] == {
        'camera 0': '/image_raw',
        'camera 1': '/wrist/image_raw',
        'action': '/servo_node/delta_twist_cmds',
        'instruction': '/vla/instruction',
    }
    assert found['bag']['roles']['rejected'][0]['role'] == 'action'
    assert "joint_trajectory: columns are ['panda_joint1'" in capsys.readouterr().out
    assert replay(path, '--action-topic', '/servo_node/delta_twist_cmds', out='told') == 0
    assert off_bag(found) == off_bag(results(tmp_path, 'told'))


def test_a_step_on_which_a_method_fails_has_no_action_and_is_counted(
    replay, bag, tmp_path, monkeypatch
):
    from vla_accel_ros.evaluation.driver import Driver

    step = Driver.step

    def fails_once(self, stamp_ns, *rest):
        if stamp_ns == START + 3 * bags.STEP:
            raise ArithmeticError('math domain error')
        return step(self, stamp_ns, *rest)

    monkeypatch.setattr(Driver, 'step', fails_once)
    assert replay(bag) == 1
    found = results(tmp_path)
    assert found['steps'] == 6 and found['bag']['faults']['failed_step']['count'] == 1
    assert 'ArithmeticError: math domain error' in found['remarks'][0]


def test_a_method_that_fails_on_every_step_is_no_fault_of_the_bag(
    replay, bag, tmp_path, monkeypatch, capsys
):
    from vla_accel_ros.evaluation.driver import Driver

    def fails(*_):
        raise ValueError('does not fit')

    monkeypatch.setattr(Driver, 'step', fails)
    assert replay(bag) == 2
    assert 'does not fit' in capsys.readouterr().err


def test_where_no_topic_can_be_read_the_losses_of_the_bag_are_told(replay, tmp_path, capsys):
    file = bags.write_mcap(tmp_path / 'bag.mcap', bags.recording(6))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert replay(file) == 2
    assert 'bag.mcap: 1 chunks of' in capsys.readouterr().err


def test_an_instruction_that_is_too_long_is_refused(replay, bag, capsys):
    assert replay(bag, '--instruction', 'pick up ' * 5000) == 2
    assert 'the instruction has 39999 characters, expected at most 1000' in capsys.readouterr().err
