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

"""`vla-accel tune --bag` from the command line to the files that it leaves."""

import json
import shutil

import bags
from joint_robots import ALOHA
import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.tuning.bags import errors

NS, START = bags.NS, bags.START
BAGS = ['--methods', 'hold@v_min=0', '--trials', '3', '--choose', 'fastest-within', '1000']


@pytest.fixture(scope='module')
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp('recorded')
    texts = ('pick up the red cube', 'pick up the blue cube')

    def write(name, first):
        return bags.write(
            folder / name,
            [
                line
                for k in range(2)
                for line in bags.recording(
                    10, 32, texts[k], START + 10 * k * NS, first=first + 1000 * k
                )
            ],
        )

    return write('monday', 1), write('tuesday', 5000)


def results(tmp_path):
    return json.loads((tmp_path / 'out' / 'results.json').read_text())


def test_a_search_on_bags_is_confirmed_on_others(tune, recorded, tmp_path):
    monday, tuesday = recorded
    assert tune('--bag', monday, '--confirm-bag', tuesday, *BAGS) == 0
    found = results(tmp_path)
    assert found['held_out'] == 'tuesday' and found['cost_unit'] == 'calls per step'
    assert found['loss_unit'] == 'mm of reference_translation_mm'
    assert found['baseline']['cost'] == 1
    best = found['confirmed'][0]
    assert best['gain'] > 1 and best['verdict'] in ('confirmed', 'open')
    assert found['chosen'] == best['name']
    assert (tmp_path / 'out' / 'arm.yaml').is_file()


def test_without_other_bags_nothing_is_confirmed_and_that_is_said(
    tune, recorded, tmp_path, capsys
):
    assert tune('--bag', *recorded, *BAGS, '--error', 'recorded_translation_mm') == 0
    found = results(tmp_path)
    assert found['confirmed'] == [] and found['held_out'] is None
    assert 'nothing was confirmed' in capsys.readouterr().err
    assert found['baseline']['episodes'] == 4


def test_a_setting_that_departs_too_far_is_given_up(tune, recorded, tmp_path):
    assert tune(
        '--bag', recorded[0], '--methods', 'hold@v_min=0', '--trials', '2', '--hopeless', '0.001'
    ) in (0, 1)
    assert any(trial['stopped'] for trial in results(tmp_path)['trials'])


def test_other_weights_in_the_same_folder_are_another_search(
    tune, recorded, random_checkpoint, tmp_path, capsys
):
    weights = tmp_path / 'weights'
    shutil.copytree(random_checkpoint, weights)
    words = ['--bag', recorded[0], *BAGS, '--checkpoint', weights]
    assert tune(*words) == 0
    file = next(weights.glob('*.safetensors'))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert tune(*words) == 2
    assert 'holds another search: its checkpoint is' in capsys.readouterr().err


def test_a_bag_to_tune_on_is_not_confirmed_on_under_another_name(tune, recorded, tmp_path, capsys):
    copy = tmp_path / 'copy'
    shutil.copytree(recorded[0], copy)
    for words in (['--confirm-bag', recorded[0]], ['--confirm-bag', copy]):
        assert tune('--bag', recorded[0], *words) == 2
        assert 'are the same bag' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['--bag', 'nowhere'], 'nowhere does not exist'),
        (['--error', 'success'], "--error is 'success', expected one of reference_translation_mm"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(tune, recorded, capsys, words, said):
    assert tune('--bag', recorded[0], *words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and said in lines[0]


def test_errors_are_means_of_what_should_be_small():
    assert set(errors(END_EFFECTOR)) == {
        f'{other}_{what}'
        for other in ('reference', 'recorded')
        for what in ('translation_mm', 'rotation_deg', 'drift_1s_mm', 'drift_5s_mm')
    }
    assert set(errors(ALOHA)) == {
        f'{other}_{what}'
        for other in ('reference', 'recorded')
        for what in ('joint_rad', 'drift_1s_rad', 'drift_5s_rad')
    }
