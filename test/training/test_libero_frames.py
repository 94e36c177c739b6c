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

"""Frames of LIBERO, where LIBERO is installed."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('libero', reason='LIBERO is not installed: make libero')

from vla_accel_ros.environments.libero_env import LiberoKind
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.frames import Frames, FrameSpec
from vla_accel_ros.training.libero_frames import demonstrate
from vla_accel_ros.training.worlds import world_of

SOUP = 'pick up the alphabet soup and place it in the basket'
HORIZON = 4


@pytest.fixture(scope='module')
def world():
    return world_of('libero:object')


@pytest.fixture(scope='module')
def frames(world, tmp_path_factory):
    objects = world.facts().objects
    cameras = ('agentview', 'robot0_eye_in_hand')
    spec = FrameSpec(
        4, 64, cameras, objects, (SOUP,), 4, HORIZON, world='libero:object', asks_all=False
    )
    made = Frames.create(tmp_path_factory.mktemp('frames'), spec)
    world.maker(spec, 'demonstration').make_chunk(made, 0, 300_000, Disturbance(keep=0.5))
    return made


def test_a_suite_is_known_by_its_things_and_what_each_instruction_means(world):
    facts = world.facts()
    assert len(facts.objects) == 12 and facts.objects[-1] == 'tool'
    assert len(facts.vocabulary) == 10
    assert world.named(SOUP) == ('alphabet_soup_1', 'basket_1')
    with pytest.raises(ValueError, match='make tea'):
        world.named('make tea')


def test_of_a_suite_that_asks_for_other_things_too_what_is_done_by_moving_is_learnt():
    world = world_of('libero:goal')
    facts = world.facts()
    assert 'open the middle drawer of the cabinet' in facts.vocabulary
    assert world.named('put the bowl on the plate') == ('akita_black_bowl_1', 'plate_1')
    assert world.named('put the bowl on the stove') == ('akita_black_bowl_1', None)
    with pytest.raises(ValueError, match='turn on the stove'):
        world.named('turn on the stove')


def test_frames_have_the_cameras_that_the_recipe_names(world, frames):
    spec = replace(frames.spec, cameras=('robot0_eye_in_hand',))
    (task,) = world.maker(spec, 'demonstration')._tasks
    assert task.cameras == spec.cameras


def test_things_are_where_their_colours_are_and_absent_ones_nowhere(frames):
    objects, places = frames.spec.objects, frames.arrays['places']
    seen = frames.arrays['seen'][:]
    assert not seen[..., objects.index('ketchup_1')].any()
    soup = objects.index('alphabet_soup_1')
    assert seen[:, 0, soup].all()
    # On a bare floor of brown boards, the soup's label is blue.
    for view, (column, row) in zip(frames.arrays['views'][:, 0], places[:, 0, soup], strict=True):
        blue = view[..., 2].astype(int) - view[..., 0] > 25
        rows, columns = np.nonzero(blue)
        near = np.hypot(columns + 0.5 - 64 * column, rows + 0.5 - 64 * row)
        assert near.min() < 4


def test_a_frame_is_followed_by_what_the_expert_did(frames):
    assert frames.arrays['actions'].shape == (4, 1, HORIZON, 7)
    vectors = frames.arrays['vectors'][:, frames.spec.objects.index('alphabet_soup_1')]
    # Told is the way to the thing, as far as the arm goes in a step.
    along = (frames.arrays['actions'][:, 0, 0, :3] * vectors).sum(-1)
    assert (along > 0).mean() >= 0.75


def test_behind_what_leads_astray_the_expert_has_as_many_steps_as_a_label_wants(world, frames):
    suite = LiberoKind('libero_object', (0,), sampled=True).make(64, None)
    led = []

    def lead():
        led.append(suite.tool_position())
        yield from [np.array([0.0, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0])] * 3

    try:
        suite.reset(300_001, SOUP)
        steps = demonstrate(suite, frames.spec, np.random.default_rng(0), 1.0, lead, (1, 2))
        first = next(steps)
        assert first['actions'].shape == (1, HORIZON, 7)
        assert len(led) == 1 and first['proprio'][1] > led[0][1] + 0.005
    finally:
        suite.close()
