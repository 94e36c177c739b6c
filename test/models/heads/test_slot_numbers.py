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

"""Joints out of OFT's slots: 14 columns of two arms, and other numbers of them."""

import json
import shutil

from joint_checkpoints import SIZE, joint_checkpoint, joint_statistics
from joint_robots import ALOHA, SEVEN, SIX_BY_STEPS, SPACES
import numpy as np
import pytest
import torch

from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.checkpoints.largest_step import largest_step
from vla_accel_ros.models.declaration import declaration
from vla_accel_ros.models.families.oft.config import BOUNDS_Q99, DISCRETE
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.serving import check_space
from vla_accel_ros.observations import Observation

WORDS = 'fold the shirt'


def seen(policy):
    pixels = np.random.default_rng(1)
    views = tuple(pixels.integers(0, 256, (SIZE, SIZE, 3), np.uint8) for _ in range(3))
    return Observation(views, WORDS, proprio=np.linspace(-0.9, 0.9, policy.proprio.numbers))


@pytest.fixture(scope='module')
def aloha(tmp_path_factory):
    return joint_checkpoint(tmp_path_factory.mktemp('aloha') / 'oft', ALOHA, [WORDS], chunk=4)


@pytest.fixture
def copied(aloha, tmp_path):
    """Give a folder of two arms to change."""
    return shutil.copytree(aloha, tmp_path / 'copied')


def edit(folder, change):
    values = json.loads((folder / 'config.json').read_text())
    change(values['norm_stats']['joints']['action'])
    (folder / 'config.json').write_text(json.dumps(values))


@pytest.mark.parametrize('space', SPACES, ids=lambda space: space.name)
def test_a_chunk_of_joints_is_answered_in_their_units(tmp_path, space):
    policy = Policy.load(joint_checkpoint(tmp_path, space, [WORDS]))
    check_space(policy)
    assert policy.space == policy.sibling().space == space
    observation = seen(policy)
    values = policy.predict(observation).chunk_values
    ask = policy._ask(observation)
    with torch.inference_mode():
        numbers = policy.model(ask.pixels, ask.ids, ask.proprio).numbers[0].double().numpy()
    low, high = (np.array(joint_statistics(space)['action'][name]) for name in ('min', 'max'))
    expected = 0.5 * (numbers + 1) * (high - low) + low
    assert values.shape == (25, space.width)
    assert values[:, space.moving] == pytest.approx(expected[:, space.moving], abs=1e-5)
    # ALOHA's grippers are 1 when open.
    closed = np.clip(1 - expected[:, space.grippers], 0, 1)
    assert values[:, space.grippers] == pytest.approx(closed, abs=1e-5)


def test_percentiles_bound_where_the_checkpoint_says_so(tmp_path):
    for name, scaling in (('inner', BOUNDS_Q99), ('outer', 'bounds')):
        joint_checkpoint(tmp_path / name, ALOHA, [WORDS], scaling=scaling)
    inner, outer = (Policy.load(tmp_path / name) for name in ('inner', 'outer'))
    assert inner.statistics.high == pytest.approx(outer.statistics.high / 2)
    assert inner.proprio(np.full(14, 0.3))[1] > outer.proprio(np.full(14, 0.3))[1]
    assert declaration(tmp_path / 'outer').actions.position_rad == pytest.approx(2.7)
    assert declaration(tmp_path / 'inner').actions.position_rad == pytest.approx(1.35)
    assert declaration(tmp_path / 'outer').state.high[0] == pytest.approx(1.5)


@pytest.mark.parametrize('options', [{'film': True}, {'head': DISCRETE}], ids=['film', 'discrete'])
def test_every_form_of_the_head_answers_joints(tmp_path, options):
    policy = Policy.load(joint_checkpoint(tmp_path, ALOHA, [WORDS], chunk=4, **options))
    found = policy.predict(seen(policy))
    assert found.chunk_values.shape == (4, 14) and np.isfinite(found.chunk_values).all()


def test_fourteen_columns_that_nothing_speaks_of_are_executed_by_nobody(copied):
    (copied / 'conventions.json').unlink()
    policy = Policy.load(copied)
    assert policy.space is None
    with pytest.raises(ValueError, match=r'of 14 columns, and nothing says.*conventions\.json'):
        check_space(policy)
    with pytest.raises(CheckpointError, match='of 14 columns, and nothing says'):
        largest_step(copied)


def test_another_number_of_columns_is_refused(copied):
    (copied / 'conventions.json').write_text(json.dumps({'actions': SEVEN.to_values()}))
    with pytest.raises(CheckpointError, match=r"actions of 8 columns, data set 'joints' has 14"):
        Policy.load(copied)


def test_how_far_a_step_goes_is_told_of_displacements_and_not_of_positions(aloha, tmp_path):
    steps = joint_checkpoint(tmp_path / 'steps', SIX_BY_STEPS, [WORDS])
    assert largest_step(steps) == pytest.approx((0.0, 2.0))
    assert largest_step(aloha) == (0.0, 0.0)


def test_a_joint_may_stay_at_a_position_but_not_go_on_for_ever(copied, tmp_path):
    def still(action):
        for name in ('q01', 'q99', 'min', 'max'):
            action[name][2] = 0.4

    steps = joint_checkpoint(tmp_path / 'steps', SIX_BY_STEPS, [WORDS])
    for folder in (copied, steps):
        edit(folder, still)
    policy = Policy.load(copied)
    assert policy.predict(seen(policy)).chunk_values[:, 2] == pytest.approx(0.4, abs=1e-6)
    with pytest.raises(CheckpointError, match='every action would move by that'):
        Policy.load(steps)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda a: a.pop('max'), r'joints\.action\.max is missing'),
        (lambda a: a.update(max=a['max'][1:]), r'joints\.action\.max is a list of 13'),
        (lambda a: a['min'].__setitem__(3, float('nan')), r'joints\.action\.min\[3\] is NaN'),
        (lambda a: a['max'].__setitem__(3, -9.0), r'min\[3\] is -1\.3 and max\[3\] is -9'),
        (lambda a: a['max'].__setitem__(3, 2e3), r'max\[3\] is 2000.*expected a position'),
    ],
)
def test_statistics_that_cannot_be_used_are_named(copied, change, said):
    edit(copied, change)
    with pytest.raises(CheckpointError, match=said):
        Policy.load(copied)
