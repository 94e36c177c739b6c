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
"""`vla-accel train` before it trains, and when it is stopped at once."""

import json
import multiprocessing
import os
import queue
import signal

import pytest
import yaml

from vla_accel_ros import cli
from vla_accel_ros.commands.train import overfitting, recipe_file
from vla_accel_ros.paths import share_files
from vla_accel_ros.training import collect, forecast, recipe_yaml
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.frames import Frames, FrameSpec, size
from vla_accel_ros.training.recipe_parts import TABLETOP


@pytest.fixture
def recipe(values, tmp_path):
    file = tmp_path / 'small.yaml'
    file.write_text(yaml.safe_dump(values))
    return file


def train(*words):
    return cli.main(['train', '--workers', '1', '--threads', '1', *map(str, words)])


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('nope', "there is no recipe 'nope', expected a YAML file or one of: libero-goal-s, "),
        ('/etc/passwd', '/etc/passwd: recipe is no mapping, expected names: values'),
        ('/proc/self/exe', 'cannot be read as YAML'),
        ('no/such.yaml', 'is no file'),
    ],
)
def test_a_recipe_that_is_none_is_one_line(name, said, capsys, tmp_path):
    assert train('--recipe', name, '--out', tmp_path / 'out') == 2
    error = capsys.readouterr().err
    assert said in error and error.count('\n') == 1 and len(error) < 300
    assert error.count('tabletop-m-oft') <= 1


@pytest.mark.parametrize('name', ['checkpoint', 'frames', 'state.pt', 'result.json', 'log.jsonl'])
def test_what_no_training_made_is_refused(recipe, tmp_path, capsys, name):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / name).write_text('mine')
    assert train('--recipe', recipe, '--out', tmp_path / 'out') == 2
    assert f'{name} is there, and vla-accel train did not make it' in capsys.readouterr().err
    assert [file.name for file in (tmp_path / 'out').iterdir()] == [name]


def test_the_start_of_a_recipe_is_not_written_over(values, tmp_path, capsys):
    start = tmp_path / 'out' / 'checkpoint'
    start.mkdir(parents=True)
    (start / 'config.json').write_text('{}')
    values['start'] = str(start)
    (tmp_path / 'r.yaml').write_text(yaml.safe_dump(values))
    assert train('--recipe', tmp_path / 'r.yaml', '--out', tmp_path / 'out') == 2
    assert 'within what is read' in capsys.readouterr().err


def test_stopped_while_the_first_frames_are_made_it_says_what_is_there(
    recipe, tmp_path, capfd, monkeypatch
):
    def asked(frames, *_):
        os.kill(os.getpid(), signal.SIGTERM)
        return frames

    monkeypatch.setattr('vla_accel_ros.training.datasets.collect', asked)
    out = tmp_path / 'out'
    assert train('--recipe', recipe, '--out', out) == 143
    said = capfd.readouterr()
    assert said.out == ''
    assert f'stopped; there is no model yet; the same command goes on from {out}' in said.err
    assert '48 frames, 0.0 GB in' in said.err and 'images in 2 stages' in said.err
    assert json.loads((out / 'result.json').read_text())['complete'] is False
    # The same command goes on in what it made.
    assert train('--recipe', recipe, '--out', out) == 143


@pytest.mark.parametrize('name', [file.stem for file in share_files('config/training', '*.yaml')])
def test_frames_of_any_shipped_recipe_can_be_learnt_by_heart(name):
    recipe = recipe_yaml.load(recipe_file(name))
    heart = overfitting(recipe, 10)
    assert {made.frames for made in heart.data.values()} == {64}
    assert {*heart.instructions} <= {*recipe.instructions}


def test_the_time_of_a_shipped_recipe_is_said_before_it_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(forecast, 'needed', lambda *_: None)
    recipes = {name: recipe_yaml.load(recipe_file(name)) for name in forecast.MEASURED}
    # What LIBERO's things are only LIBERO says.
    for name in (name for name, recipe in recipes.items() if recipe.world == TABLETOP):
        lines = forecast.forecast(recipes[name], tmp_path)
        assert 'GB in' in lines[0] and ' h at the ' in lines[1]


def test_frames_take_their_room_at_once(tmp_path):
    spec = FrameSpec(10, 32, ('agent',), ('red',), ('pick up the red cube',), 5)
    Frames.create(tmp_path, spec)
    taken = sum(f.stat().st_size - 128 for f in tmp_path.glob('*.npy'))
    assert taken == size(spec)
    for file in tmp_path.glob('*.npy'):
        assert file.stat().st_blocks * 512 >= file.stat().st_size


def test_a_worker_that_dies_is_said_by_its_signal(tmp_path):
    def dies(*_):
        for child in multiprocessing.active_children():
            child.kill()

    Frames.create(tmp_path, FrameSpec(4, 32, ('agent',), ('red',), ('pick up the red cube',), 4))
    with pytest.raises(collect.CollectError, match='ended by signal 9, SIGKILL: mostly memory'):
        collect.collect(tmp_path, 'wander', 0, Disturbance(), 1, dies)


def test_what_a_worker_cannot_write_is_said_by_the_parent(tmp_path):
    Frames.create(tmp_path, FrameSpec(4, 32, ('agent',), ('red',), ('pick up the red cube',), 4))
    (tmp_path / 'views.npy').unlink()
    (tmp_path / 'views.npy').mkdir()
    errors = queue.SimpleQueue()
    with pytest.raises(SystemExit):
        collect._work(str(tmp_path), [0], 'wander', 0, Disturbance(), None, errors)
    assert 'views.npy' in errors.get()
