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

import copy

import numpy as np
import pytest
from recipes import SMALL
import torch

from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.training.batches import Pixels
from vla_accel_ros.training.frames import Frames
from vla_accel_ros.training.recipe_yaml import from_dict
from vla_accel_ros.training.trainer import Trainer

HEADS = ('diffusion', 'flow')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('frozen')


def run(recipe, out, frames, stop_at=None):
    """Follow a recipe with frames made once, stopping before a step of the run if asked."""
    out.mkdir(exist_ok=True)
    frames.mkdir(exist_ok=True)
    if not (out / 'frames').exists():
        (out / 'frames').symlink_to(frames)
    trainer = Trainer(recipe, out, report=lambda _: None)
    whole = trainer.optimiser.step

    def step(factor):
        trainer.stopped = trainer.optimiser.steps + 1 == stop_at
        return whole(factor)

    trainer.optimiser.step = step
    trainer.run()
    return trainer


@pytest.fixture(scope='module')
def start(folder):
    """Train a little of OpenVLA's kind, to stand behind."""
    values = copy.deepcopy(SMALL)
    values['stages'] = values['stages'][:1]
    return run(from_dict(values), folder / 'start', folder / 'frames of start').folder


def recipe_for(head, start):
    values = copy.deepcopy(SMALL)
    demos = {**values['data']['demos'], 'disturbance': {'keep': 0.4}}
    common = {'rate': 1e-3, 'losses': {'action': 1}}
    values.update(
        name=head,
        start=str(start),
        bins_of_start=True,
        data={'demos': demos, 'own': {'kind': 'dagger', 'frames': 30, 'seed': 600_000}},
        stages=[
            {'name': 'clone', 'images': 24, 'mix': {'demos': 1}, **common},
            {'name': 'dagger', 'images': 8, 'mix': {'own': 1}, 'evaluate': 8, **common},
        ],
    )
    if head == 'flow':
        values['stages'][0]['prefix'] = 2
    values['model'].update(head=head, chunk=5, head_width=32, head_layers=1)
    return from_dict(values)


@pytest.fixture(scope='module', params=HEADS)
def trained(request, start, folder):
    recipe = recipe_for(request.param, start)
    return run(recipe, folder / request.param, folder / f'frames of {request.param}')


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(trained, folder):
    name = trained.recipe.name
    out, frames = folder / f'parts of {name}', folder / f'frames of {name}'
    assert run(trained.recipe, out, frames, stop_at=4).optimiser.steps == 4
    again = run(trained.recipe, out, frames)
    assert again.optimiser.steps == trained.optimiser.steps == 8
    for key, value in trained.optimiser.averages.items():
        assert torch.equal(value, again.optimiser.averages[key]), key


def test_only_the_head_changes_and_the_checkpoint_holds_both(trained, start):
    before, after = Policy.load(start), Policy.load(trained.folder)
    own, given = before.model.state_dict(), after.model.state_dict()
    assert all(torch.equal(own[name], given[name]) for name in own.keys() & given.keys())
    assert {*own} - {*given} <= {'language_model.lm_head.weight'}
    assert after.config.norm_stats[trained.recipe.name] == before.config.norm_stats['small']


def test_dagger_labels_what_the_policy_gets_into(trained):
    own = Frames(trained.out / 'frames' / 'own')
    assert own.done.all()
    assert own.spec.horizon == 5


def test_training_sees_what_a_policy_answers(trained):
    """The closed loop of training and a policy give the same chunk: both draw noise of seed 0."""
    policy, model = Policy.load(trained.folder), trained.averaged()
    views = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), dtype=np.uint8)
    text = trained.recipe.instructions[1]
    pixels = Pixels(trained.config)(views[None])
    expected = trained.lesson.answers(model)(pixels, [trained.prompts(text)], None)[0]
    answer = policy.predict(Observation(tuple(views), text)).chunk_values
    span = np.array(trained.stats['action']['q99'])
    # What is beyond open and closed is cut off for the robot.
    expected[:, -1] = np.clip(expected[:, -1], 0, 1)
    np.testing.assert_allclose(answer / span, expected, atol=0.02)
