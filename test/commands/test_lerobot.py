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

"""`vla-accel lerobot`: a bag becomes a dataset that replay reads again."""

import json

import bags
import numpy as np
import pytest

from vla_accel_ros import cli
from vla_accel_ros.replay.lerobot.reader import Dataset

NS, START = bags.NS, bags.START
TEXTS = ('pick up the red cube', 'pick up the blue cube')


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    lines = [
        line
        for k in range(2)
        for line in bags.recording(8, 32, TEXTS[k], START + 10 * k * NS, first=1000 * k)
    ]
    return bags.write(tmp_path_factory.mktemp('recorded') / 'bag', lines)


def export(bag, out, *words):
    return cli.main(['lerobot', str(bag), '--out', str(out), '--cameras', '2', *words])


def test_a_bag_becomes_a_dataset_and_its_replay_is_that_of_the_bag(bag, tmp_path, replay, capsys):
    assert export(bag, tmp_path / 'data', '--json') == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts['episodes'], facts['frames'], facts['left_out']) == (2, 16, {})
    frames = list(Dataset(tmp_path / 'data').frames())
    assert [(f.episode, f.number) for f in frames] == [(e, n) for e in range(2) for n in range(8)]
    assert {f.task for f in frames} == set(TEXTS)
    assert replay(bag, out='one', methods='none') == 0
    assert replay(tmp_path / 'data', out='other', methods='none') == 0
    one, other = (
        json.loads((tmp_path / name / 'results.json').read_text()) for name in ('one', 'other')
    )
    assert one['frames'] == other['frames'] == 16
    assert [e['instruction'] for e in other['episodes']] == list(TEXTS)
    first, second = (r['methods'][0]['values']['recorded_translation_mm'] for r in (one, other))
    assert second['value'] == pytest.approx(first['value'], rel=1e-5)


def test_a_bag_without_actions_leaves_no_dataset(bag, tmp_path, capsys):
    assert export(bag, tmp_path / 'data', '--action-topic', 'none') == 2
    assert 'not one of 16 frames has an action' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_bad_argument_is_named_with_its_value(bag, tmp_path, capsys):
    assert export(bag, tmp_path / 'data', '--policy-step', '7') == 2
    assert '--policy-step is 7.0, expected 0.01 to 1 s' in capsys.readouterr().err
    (tmp_path / 'data').mkdir()
    assert export(bag, tmp_path / 'data') == 2
    assert 'is there already' in capsys.readouterr().err


def test_a_frame_at_each_step_is_kept_however_fast_the_camera_is(bag, tmp_path, capsys):
    assert export(bag, tmp_path / 'data', '--policy-step', '0.1', '--json') == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts['frames'] < 16 and facts['left_out']['sooner than a step'] > 0
    info = json.loads((tmp_path / 'data' / 'meta' / 'info.json').read_text())
    assert info['fps'] == 10
    moved = np.array([f.action[:3] for f in Dataset(tmp_path / 'data').frames()])
    assert np.isfinite(moved).all()
