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

"""`vla-accel eval` in an environment that is not ours."""

import json

import pytest

from vla_accel_ros.cli import main

WORDS = ['--episodes', '2', '--methods', 'none,sp_vla', '--max-steps', '4']


def evaluate(folder, config, *words):
    return main(
        [
            'eval',
            '--checkpoint',
            str(folder),
            '--env',
            'reach:Reach-v0',
            '--env-config',
            str(config),
            *WORDS,
            *words,
        ]
    )


@pytest.mark.parametrize('workers', ['1', '2'])
def test_methods_are_compared_on_it(random_checkpoint, reach_config, capsys, workers):
    assert (
        evaluate(
            random_checkpoint,
            reach_config,
            '--workers',
            workers,
            '--task',
            'pick up the red cube',
            '--json',
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert [m['method'] for m in found['methods']] == ['none', 'sp_vla']
    assert found['methods'][0]['steps'] == 8 and found['methods'][0]['model_calls'] == 8


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        ([], ': the checkpoint does not know the words'),
        (['--task', 'pick up the red cube', '--image-size', '64'], 'the policy sees 64'),
        (['--task', ' '], 'has no instruction: give one by --task'),
        (['--env', 'reach:FourColumns-v0'], 'of shape [4], expected [7]'),
        (['--env', 'nowhere:Arm-v0'], 'nowhere is not installed'),
        (['--env', 'robosuite:Lift'], 'robosuite is known'),
    ],
)
def test_what_does_not_fit_is_one_line_and_exit_code_2(
    random_checkpoint, reach_config, capsys, words, said
):
    assert evaluate(random_checkpoint, reach_config, '--workers', '1', *words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert said in lines[-1]
    assert all(line.startswith(('starting ', 'engine: ')) for line in lines[:-1])
