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
"""A recipe is followed to a checkpoint that policies load; stopping changes nothing."""

from copy import deepcopy
from dataclasses import replace
import json
import shutil

import numpy as np
import pytest
from recipes import SMALL
import torch

from vla_accel_ros.commands.train import overfitting
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.training import curves, datasets, recipe_yaml
from vla_accel_ros.training.batches import stream
from vla_accel_ros.training.frames import Frames
from vla_accel_ros.training.recipe_parts import KINDS
from vla_accel_ros.training.state import STATE, StateError
from vla_accel_ros.training.trainer import LOG, Trainer


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def quiet(_):
    pass


@pytest.fixture(scope='module')
def frames(tmp_path_factory):
    return tmp_path_factory.mktemp('frames')


def trained(followed, out, frames, stop_at=None, only=None, report=quiet):
    """Follow a recipe with frames made once, stopping before a step of the run if asked."""
    out.mkdir(exist_ok=True)
    frames.mkdir(exist_ok=True)
    if not (out / 'frames').exists():
        (out / 'frames').symlink_to(frames)
    trainer = Trainer(followed, out, only=only, report=report)
    if stop_at is not None:
        whole = trainer.optimiser.step

        def step(factor):
            trainer.stopped = trainer.optimiser.steps + 1 >= stop_at
            return whole(factor)

        trainer.optimiser.step = step
    trainer.run()
    return trainer


@pytest.fixture(scope='module')
def whole(tmp_path_factory, frames):
    """Give a run that was not stopped; nobody changes its folder."""
    return trained(
        recipe_yaml.from_dict(deepcopy(SMALL)), tmp_path_factory.mktemp('whole'), frames
    )


@pytest.mark.parametrize('stop_at', [4, 6, 9])
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(
    small, tmp_path, frames, whole, stop_at
):
    first = trained(small, tmp_path / 'parts', frames, stop_at=stop_at)
    assert first.optimiser.steps == stop_at
    second = trained(small, tmp_path / 'parts', frames)
    assert second.optimiser.steps == whole.optimiser.steps == 12
    for key, value in whole.optimiser.averages.items():
        assert torch.equal(value, second.optimiser.averages[key]), key


def test_a_stage_may_ask_fewer_instructions_of_an_image(small, tmp_path, frames):
    trainer = trained(replace(small, asks=2), tmp_path, frames, stop_at=1)
    sets = datasets.opened(trainer, small.stages[-1].mix)
    assert trainer.sampler(sets).asks == 2
    assert trainer.sampler(sets, 1).asks == 1


def test_a_run_starts_from_a_checkpoint_and_goes_on_without_it(small, tmp_path, frames, whole):
    source = shutil.copytree(whole.folder, tmp_path / 'source')
    follows = replace(small, start=str(source), seed=small.seed + 1)
    out, said = tmp_path / 'out', []
    trained(follows, out, frames, stop_at=1, report=said.append)
    assert any('starting from' in line and 'vision_backbone' in line for line in said)
    kept = torch.load(out / STATE, weights_only=True)['optimiser']['masters']
    # One small step away from where it started, which was stored in half precision.
    for name, weight in whole.optimiser.averaged('model').items():
        assert (kept[f'model.{name}'] - weight).abs().max() < 5e-3, name
    shutil.rmtree(source)
    assert trained(follows, out, frames).optimiser.steps == 12


def test_the_checkpoint_is_loaded_and_sees(small, whole):
    policy = Policy.load(whole.folder)
    assert policy.self_test(cameras=2) > 0
    views = tuple(np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), dtype=np.uint8))
    red, blue = (
        policy.logits(Observation(views, f'pick up the {colour} cube'))
        for colour in ('red', 'blue')
    )
    assert not torch.equal(red, blue)
    assert policy.predict(Observation(views, small.instructions[0])).chunk_values.shape == (1, 7)


def test_a_few_frames_are_learnt_by_heart(small, tmp_path, frames):
    heart = overfitting(small, 2)
    stage = replace(heart.stages[0], images=120 * heart.batch, rate=3e-3)
    trainer = trained(replace(heart, stages=(stage,)), tmp_path, tmp_path / 'own', only=2)
    lines = curves.read(trainer.out / LOG)
    assert lines[-1]['action'] < 0.6 * lines[0]['action']
    assert lines[-1]['locate'] < lines[0]['locate']


def test_openvlas_form_and_ofts_are_trained_to_policies(scaled, tmp_path):
    heart = overfitting(scaled, 2)
    stage = replace(heart.stages[0], images=150 * heart.batch, rate=3e-3)
    trainer = trained(replace(heart, stages=(stage,)), tmp_path, tmp_path / 'own', only=2)
    lines = curves.read(trainer.out / LOG)
    assert lines[-1]['action'] < 0.75 * lines[0]['action']
    policy = Policy.load(trainer.folder)
    views = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), dtype=np.uint8)
    seen = Observation(tuple(views[: len(scaled.cameras)]), scaled.instructions[0], 0, np.zeros(8))
    answer = policy.predict(seen).chunk_values
    assert answer.shape == (max(1, scaled.model.chunk), 7)
    (episode,) = trainer.rollout().check(range(1_000_000, 1_000_001), scaled.instructions)
    assert episode.over


def test_a_run_of_a_gpu_draws_the_same_batches_beside():
    assert list(stream(lambda step: step * 2, range(3, 7), True)) == [6, 8, 10, 12]
    assert list(stream(lambda step: step * 2, range(3, 7), False)) == [6, 8, 10, 12]
    assert list(stream(lambda step: step, range(0), True)) == []


def test_the_log_becomes_a_picture(whole, tmp_path):
    shutil.copy(whole.out / LOG, tmp_path)
    with (tmp_path / LOG).open('a') as log:
        log.write(json.dumps({'stage': 'clone', 'images': 24, 'success': 0.5, 'steps': 30}) + '\n')
    curves.draw(tmp_path / LOG, tmp_path / 'curves.png')
    assert (tmp_path / 'curves.png').stat().st_size > 10_000
    assert curves.read(tmp_path / LOG)[-1]['total'] == 48


def test_dagger_labels_what_the_policy_gets_into(values, tmp_path, frames):
    values['data']['own'] = {'kind': 'dagger', 'frames': 30, 'seed': 600_000}
    values['stages'].append(
        {
            'name': 'dagger',
            'images': 8,
            'rate': 1e-3,
            'mix': {'own': 1},
            'losses': {'action': 1},
            'evaluate': 8,
        }
    )
    said = []
    trainer = trained(recipe_yaml.from_dict(values), tmp_path, frames, report=said.append)
    own = Frames(tmp_path / 'frames' / 'own')
    assert own.done.all()
    assert set(own.arrays['kind']) == {KINDS.index('dagger')}
    assert np.abs(own.arrays['actions'][:, 0, 0] - own.arrays['actions'][:, 1, 0]).max() > 1e-3
    assert any('closed loop' in line for line in said)
    assert curves.read(trainer.out / LOG)[-1]['success'] in (0.0, 0.5, 1.0)


def test_a_folder_of_another_model_is_refused(small, tmp_path, frames):
    trained(small, tmp_path, frames, stop_at=2)
    assert (tmp_path / STATE).exists()
    tokenizer = tmp_path / 'checkpoint' / 'tokenizer.json'
    tokenizer.write_text('of the run')
    other = replace(small, model=replace(small.model, width=64))
    with pytest.raises(StateError, match=r'model\.width is 64, the run has 48'):
        Trainer(other, tmp_path, report=quiet)
    assert tokenizer.read_text() == 'of the run'


def test_what_a_killed_run_logged_before_it_kept_anything_is_logged_once(small, tmp_path):
    log = tmp_path / LOG
    log.write_text('{"stage": "ground", "images": 200, "act')
    Trainer(small, tmp_path, report=quiet)
    assert log.read_text() == ''
