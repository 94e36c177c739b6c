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


"""What doctor says of a parameter file, and of its limits."""

import json
import re

import pytest

from vla_accel_ros import cli
from vla_accel_ros.commands import doctor
from vla_accel_ros.graph.doctor_parameters import parameter_file
from vla_accel_ros.graph.machine import Finding


def found(tmp_path, text, namespace='', **options):
    file = tmp_path / 'a.yaml'
    file.write_text(text)
    return list(parameter_file(str(file), namespace, **options))


def test_a_file_that_the_nodes_take_is_compared_with_the_checkpoint(tmp_path):
    whole, limits = found(
        tmp_path, '/**/arm_command: {ros__parameters: {limits.linear_speed: 0.1}}'
    )
    assert whole.ok and whole.text.startswith('1 values')
    assert not limits.ok and not limits.needed
    # 0.0326 m in a step of 0.05 s.
    assert limits.details['translation_m'] == pytest.approx(0.0326, abs=1e-4)
    assert '0.0326 m in 0.05 s = 0.651 m/s' in limits.text
    assert 'above limits.linear_speed 0.1 m/s; arm_command refuses' in limits.text


def test_wider_limits_and_longer_steps_are_within(tmp_path):
    steps = '{ros__parameters: {policy_step: 0.2}}'
    whole, limits = found(tmp_path, f'/**/scheduler: {steps}\n/**/inference: {steps}\n')
    assert whole.ok and limits.ok and 'within the limits' in limits.text


def test_nodes_that_do_not_agree_are_named(tmp_path):
    named = {
        each.name: each
        for each in found(
            tmp_path, '/**/scheduler: {ros__parameters: {policy_step: 0.2, frame_id: a}}'
        )
    }
    assert named['parameters policy_step'].text == '0.2 of scheduler, 0.05 of inference'
    assert "'a' of scheduler" in named['parameters frame_id'].text


@pytest.mark.parametrize(
    ('text', 'namespace', 'complaint'),
    [
        (
            'arm_command: {ros__parameters: {min_rate: 30}}',
            'left',
            'line 1: .arm_command. matches',
        ),
        ('a:\n  b: 1', '', 'line 2: expected ros__parameters'),
        (
            'arm_command: {ros__parameters: {min_rate: 5}}',
            '',
            'min_rate is 5.0, expected a number from 20.0',
        ),
        ('arm_command: {ros__parameters: {gripper.open_below: 0.9}}', '', 'do not fit together'),
        ('arm_command: {ros__parameters: {min_rate: 30}}', 'le ft', "namespace is 'le ft'"),
    ],
)
def test_a_file_that_launch_would_refuse_is_refused_alike(tmp_path, text, namespace, complaint):
    (whole,) = found(tmp_path, text, namespace)
    assert not whole.ok and whole.needed and re.search(complaint, whole.text)


def test_a_checkpoint_that_is_not_there_is_no_fault_of_the_file(tmp_path):
    whole, limits = found(
        tmp_path, 'arm_command: {ros__parameters: {min_rate: 30}}', checkpoint='nowhere'
    )
    assert whole.ok and not limits.ok and "checkpoint 'nowhere'" in limits.text


def test_the_command_says_it_and_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(doctor, 'examine', lambda *_: iter(()))
    file = tmp_path / 'a.yaml'
    file.write_text('arm_comand: {ros__parameters: {min_rate: 30}}')
    assert cli.main(['doctor', '--json', '--params-file', str(file)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report['lacking'] == [f'parameters {file}']


@pytest.mark.parametrize('error', [ZeroDivisionError('x'), OSError(5, 'y'), RuntimeError('z')])
def test_a_check_that_fails_does_not_keep_the_next_from_it(error):
    def broken():
        yield Finding('a', True, 'fine')
        raise error

    one, two = doctor.asked('a', broken)
    assert one.ok and not two.ok and type(error).__name__ in two.text
    there = Finding('b', True, 'there')
    assert list(doctor.asked('b', lambda: there)) == [there]
