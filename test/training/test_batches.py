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
"""Batches: what is asked of an image, what it is about, and which frames come more often."""

from dataclasses import replace

import numpy as np
import pytest

from vla_accel_ros.models.action_tokens import ActionStatistics
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.sim.scene import COLOURS, CUBE_HALF
from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.training.batches import Sampler, choose, named, weights
from vla_accel_ros.training.datasets import action_statistics
from vla_accel_ros.training.frames import Frames, FrameSpec
from vla_accel_ros.training.labels import BIN
from vla_accel_ros.training.tabletop import Tabletop
from vla_accel_ros.training.tokens import places

OBJECTS = (*COLOURS, BIN)
WORLD = Tabletop()
ALL = all_instructions()
OPEN, SHUT = 0.08, 2 * CUBE_HALF


@pytest.fixture
def frames(tmp_path):
    random = np.random.default_rng(0)
    made = Frames.create(tmp_path, FrameSpec(8, 32, ('agent', 'wrist'), OBJECTS, ALL))
    made.arrays['actions'][..., :6] = random.normal(0.0, 0.01, (8, len(ALL), 1, 6))
    made.arrays['vectors'][:] = random.normal(0.0, 0.1, (8, 4, 3))
    made.arrays['asked'][:] = random.integers(len(ALL), size=8)
    made.arrays['width'][:] = OPEN
    made.done[:] = True
    return made


def test_an_instruction_names_a_cube_and_where_it_goes():
    assert named(WORLD, 'pick up the green cube', OBJECTS) == (1, -1)
    assert named(WORLD, 'pick up the red cube and place it in the bin', OBJECTS) == (0, 3)
    assert named(WORLD, 'stack the blue cube on the red cube', OBJECTS) == (2, 0)


def test_the_instruction_that_was_followed_is_asked_and_others_once():
    followed = np.arange(200) % 12
    asked = choose(followed, 12, 4, np.random.default_rng(0))
    assert asked.shape == (200, 4)
    assert (asked == followed[:, None]).any(1).all()
    assert all(len(set(row)) == 4 for row in asked)
    assert np.bincount(asked.ravel(), minlength=12).min() > 30


def test_labels_are_those_of_what_is_asked(frames):
    told = action_statistics({'some': frames}, 'here')
    stats = ActionStatistics.from_dict(told['action'])
    config = replace(
        embedded(12, image_size=32, tower_width=32, tower_blocks=1, width=48, heads=2),
        norm_stats={'here': told},
    )
    sampler = Sampler({'some': frames}, config, 1.0, seed=0, asks=3)
    batch = sampler.draw({'some': 1.0}, 5, 0, 0)
    assert batch.actions.shape == (5, 3, 7)
    vectors = frames.arrays['vectors']
    for row in range(5):
        frame = np.flatnonzero((vectors == batch.vectors[row].numpy()).all((1, 2)))[0]
        for column, which in enumerate(batch.asked[row].tolist()):
            label = frames.arrays['actions'][frame, which, 0].astype(np.float64)
            np.testing.assert_allclose(
                batch.actions[row, column], places(stats.normalise(label)), rtol=1e-5
            )
            assert (int(batch.meant[row, column]), int(batch.goal[row, column])) == named(
                WORLD, ALL[which], OBJECTS
            )


def test_grasps_and_choices_are_drawn_more_often(frames):
    grip = frames.arrays['actions'][..., 0, 6]
    grip[:] = 0.0
    lift, place = (
        ALL.index('pick up the red cube'),
        ALL.index('pick up the red cube and place it in the bin'),
    )
    red = [i for i, text in enumerate(ALL) if named(WORLD, text, OBJECTS)[0] == 0]
    # Frame 1 closes on the red cube; 2 holds it; in 3 it is above the bin; 4 is an open hand.
    grip[1, red] = grip[2, red] = 1.0
    grip[3, red], grip[3, place] = 1.0, 0.0
    frames.arrays['width'][2:4] = SHUT
    drawn = weights(frames, frames.ready(), 4.0)
    assert grip[3, lift] == 1.0
    np.testing.assert_allclose(drawn / drawn[0], [1, 4, 1, 4, 1, 1, 1, 1])


def test_frames_of_one_instruction_are_asked_that_one_and_nothing_else(tmp_path):
    spec = FrameSpec(4, 32, ('agent', 'wrist'), OBJECTS, ALL, asks_all=False)
    made = Frames.create(tmp_path, spec)
    followed = np.array([3, 0, 7, 11])
    made.arrays['asked'][:] = followed
    made.arrays['actions'][..., 0] = 0.001 * (1 + followed[:, None, None])
    made.arrays['actions'][..., 6] = 1.0
    made.arrays['width'][:] = SHUT, OPEN, SHUT, SHUT
    made.done[:] = True
    told = action_statistics({'some': made}, 'here')
    config = replace(
        embedded(12, image_size=32, tower_width=32, tower_blocks=1, width=48, heads=2),
        norm_stats={'here': told},
    )
    batch = Sampler({'some': made}, config, 1.0, seed=0, asks=4).draw({'some': 1.0}, 16, 0, 0)
    assert batch.asked.shape == (16, 1)
    stats = ActionStatistics.from_dict(told['action'])
    for label, asked in zip(batch.actions, batch.asked[:, 0].tolist(), strict=True):
        row = np.array([0.001 * (1 + asked), *[0.0] * 5, 1.0])
        np.testing.assert_allclose(label[0], places(stats.normalise(row)), rtol=1e-3)
    np.testing.assert_allclose(np.unique(weights(made, made.ready(), 3.0)), [1 / 6, 1 / 2])


def test_statistics_of_a_controllers_data_set_are_in_its_units_and_labels_are_the_same(frames):
    told = {key: action_statistics({'some': frames}, key) for key in ('here', 'libero-mine')}
    plain, theirs = (np.array(told[key]['action']['std']) for key in told)
    np.testing.assert_allclose(theirs * [*[0.05] * 3, *[0.5] * 3, 1.0], plain)
    shape = embedded(12, image_size=32, tower_width=32, tower_blocks=1, width=48, heads=2)
    labels = []
    for key, stats in told.items():
        config = replace(shape, norm_stats={key: stats})
        batch = Sampler({'some': frames}, config, 1.0, seed=0, asks=3).draw({'some': 1.0}, 5, 0, 0)
        labels.append(batch.actions.numpy())
    # The least range of a rotation is wider than its unit.
    moved = slice(0, 3)
    np.testing.assert_allclose(labels[0][..., moved], labels[1][..., moved], rtol=1e-5)
