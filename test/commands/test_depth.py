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


"""`vla-accel depth` from the command line to the checkpoint that it leaves."""

import json

import bags
import pytest

from vla_accel_ros.cli import main
from vla_accel_ros.models.policy import Policy


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    lines = bags.recording(9, 32, 'pick up the red cube', bags.START)
    return bags.write(tmp_path_factory.mktemp('recorded') / 'bag', lines)


def depth(*arguments):
    return main(['depth', *map(str, arguments)])


def test_the_layers_that_matter_least_are_left_out_of_a_checkpoint(bag, tmp_path, capsys):
    out = tmp_path / 'out'
    assert depth(bag, '--frames', 3, '--drop', 2, '--out', out, '--json') == 0
    found = json.loads(capsys.readouterr().out)
    importance = found['importance']
    assert found['frames'] == 3 and list(importance) == ['0', '1', '2', '3']
    assert found['left_out'] == sorted(sorted(range(4), key=lambda k: importance[str(k)])[:2])
    assert json.loads((out / 'depth.json').read_text())['importance'] == importance
    decoder = Policy.load(out).config.decoder
    assert list(decoder.drop_attention) == list(decoder.drop_mlp) == found['left_out']


def test_importance_alone_writes_nothing(bag, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert depth(bag, '--frames', 2) == 0
    assert '2 frames' in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_layers_that_are_asked_for_are_left_out(bag, tmp_path):
    assert depth(bag, '--frames', 1, '--layers', '0', '--out', tmp_path / 'out') == 0
    assert Policy.load(tmp_path / 'out').config.decoder.drop_mlp == (0,)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('--drop', '4'), '4 layers are to be left out, expected 1 to 3'),
        (('--layers', '7'), 'drop_attention is [7], expected ascending layers from 0 to 3'),
        (('--frames', '0'), '--frames is 0, expected at least 1'),
    ],
)
def test_what_cannot_be_left_out_is_said(bag, tmp_path, capsys, arguments, message):
    assert depth(bag, *arguments, '--out', tmp_path / 'out') == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
