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

"""`vla-accel env`: an environment without a model."""

import json

from PIL import Image
import pytest

from vla_accel_ros.cli import main


def env(*words):
    return main(['env', *map(str, words)])


def test_an_environment_that_is_not_ours_is_tried_out(reach_config, capsys, tmp_path):
    picture = tmp_path / 'new' / 'reach.png'
    assert (
        env(
            'reach:Reach-v0',
            '--env-config',
            reach_config,
            '--episodes',
            2,
            '--image-size',
            48,
            '--picture',
            picture,
            '--json',
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found['environment'] == 'reach:Reach-v0' and found['episodes'] == 2
    assert found['instructions'] == ['bring the dot to the middle']
    assert found['limits']['x'] == [-0.05, 0.05] and found['limits']['gripper'] == [0, 1]
    # Two views side by side, the start above the end.
    assert Image.open(picture).size == (2 * 48, 2 * 48)


def test_people_get_a_few_lines(reach_config, capsys):
    assert (
        env(
            'reach:Reach-v0',
            '--env-config',
            reach_config,
            '--episodes',
            1,
            '--image-size',
            48,
            '--max-steps',
            2,
        )
        == 0
    )
    text = capsys.readouterr().out
    assert 'reach:Reach-v0: "bring the dot to the middle"' in text
    assert '95 % interval' in text and 'views    views.front, views.hand' in text


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['reach:Reach-v0', '--episodes', '0'], '0 episodes asked for, expected at least 1'),
        (['tabletop', '--seed', '-1'], '--seed is -1, expected at least 0'),
        (['tabletop', '--image-size', '0'], '--image-size is 0, expected at least 1'),
        (['tabletop', '--max-steps', '0'], '--max-steps is 0, expected at least 1'),
        (['reach:Reach-v0'], 'Say what they are'),
        (['reach:NoImage-v0'], 'actions of reach:NoImage-v0 reach 1'),
        (['reach:FourColumns-v0'], 'of shape [4], expected [7]'),
        (['nowhere:Arm-v0'], 'nowhere is not installed'),
        (['robosuite'], "environment 'robosuite' is unknown"),
        (['libero:kitchen'], "no suite 'kitchen'"),
        (['tabletop', '--task', 'juggle'], "unknown instruction 'juggle'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, words, said):
    assert env(*words) == 2
    text = capsys.readouterr().err
    assert said in text and text.count('\n') == 1


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['--policy', 'expert'], 'reach:Reach-v0 has no scripted expert: --policy random'),
        (['--image-size', '64'], '48 x 48 pixels, the policy sees 64'),
    ],
)
def test_what_it_cannot_do_it_says(reach_config, capsys, words, said):
    assert env('reach:Reach-v0', '--env-config', reach_config, '--image-size', 48, *words) == 2
    assert said in capsys.readouterr().err


def test_the_expert_of_the_embedded_arm_does_what_is_asked(capsys):
    assert (
        env(
            'tabletop',
            '--policy',
            'expert',
            '--task',
            'lift',
            '--episodes',
            3,
            '--image-size',
            32,
            '--json',
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found['successes'] == 3 and found['steps_per_success'] < 60


def test_schedules_are_compared_with_the_expert_in_the_models_place(capsys):
    words = [
        'tabletop',
        '--policy',
        'expert',
        '--task',
        'pick up the red cube',
        '--image-size',
        32,
    ]
    assert env(*words, '--episodes', 2, '--methods', 'none,hold', '--json') == 0
    none, hold = json.loads(capsys.readouterr().out)['methods']
    assert (none['method'], none['calls_per_step']) == ('none', 1.0)
    assert hold['calls_per_step'] < 1.0 and hold['difference_ci'] is not None
    assert env(*words, '--episodes', 1, '--methods', 'hold') == 0
    text = capsys.readouterr().out
    assert 'calls/step' in text and 'ms/call' not in text and 'intuitive' in text


def test_schedules_without_the_expert_are_refused(capsys):
    assert env('tabletop', '--methods', 'hold') == 2
    assert '--methods is for --policy expert, here it is random' in capsys.readouterr().err
