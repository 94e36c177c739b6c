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
"""Frames: every label is the expert's, and interruptions leave no trace."""

from dataclasses import replace

import numpy as np
import pytest

from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.sim.scene import BIN_FLOOR, COLOURS
from vla_accel_ros.sim.tasks import all_instructions, parse
from vla_accel_ros.training import pictures
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.frames import META, Frames, FrameSpec
from vla_accel_ros.training.labels import BIN, TOOL, ahead, colour_mask, label
from vla_accel_ros.training.tabletop_frames import TabletopMaker

LIFTS = all_instructions('lift')


def spec(count, chunk=6, size=32):
    return FrameSpec(count, size, ('agent', 'wrist'), COLOURS, LIFTS, chunk)


@pytest.fixture(scope='module')
def env():
    made = TabletopEnv(image_size=32)
    yield made
    made.close()


def fill(folder, env, kind, order):
    frames = Frames.create(folder, spec(12))
    for chunk in order:
        TabletopMaker(env, kind).make_chunk(frames, chunk, 300_000, Disturbance())
    return frames


def test_a_frame_is_labelled_for_every_instruction(env):
    env.reset(seed=5)
    state = env.state()
    values = label(env, Expert(), LIFTS, COLOURS)
    for row, text in zip(values['actions'][:, 0], LIFTS, strict=True):
        np.testing.assert_allclose(row, Expert().action(state, text))
    assert np.abs(values['actions'][0] - values['actions'][1]).max() > 1e-3


def test_a_cube_is_where_its_colour_is(env):
    env.reset(seed=6)
    size = 32
    values = label(env, Expert(), LIFTS, COLOURS, rendered=64)
    assert values['views'].shape == (2, size, size, 3)
    for camera in range(2):
        for index, colour in enumerate(COLOURS):
            if values['seen'][camera, index] == 1:
                rows, columns = np.nonzero(colour_mask(values['views'][camera], colour))
                column, row = values['places'][camera, index] * size
                assert columns.min() - 1 <= column <= columns.max() + 2
                assert rows.min() - 1 <= row <= rows.max() + 2


def test_a_label_that_looks_ahead_is_what_the_expert_does_and_leaves_no_trace(env):
    texts = all_instructions()
    expert, tasks = Expert(), tuple(map(parse, texts))
    env.reset(seed=8, options={'task': LIFTS[0]})
    # Up to where the red cube is about to be shut in: there the tasks part.
    while expert.action(env.state(), LIFTS[0])[6] < 0.5:
        env.advance(expert.action(env.state(), LIFTS[0]))
    before = env.save_state()
    found = ahead(env, expert, tasks, 8)
    assert np.array_equal(env.save_state().physics, before.physics)
    for index, task in enumerate(tasks):
        env.restore_state(before)
        for step in range(8):
            action = expert.action(env.state(), task)
            np.testing.assert_array_equal(found[index, step], action)
            env.advance(action)
    assert not np.array_equal(found[0], found[3])


def test_images_stored_as_jpeg_are_what_they_were(tmp_path, env):
    frames = Frames.create(tmp_path, replace(spec(2), size=96, jpeg=True, horizon=2))
    env.reset(seed=9)
    views = [env.render_camera(name, 96) for name in env.cameras]
    values = label(env, Expert(), LIFTS, COLOURS, horizon=2)
    frames.write(1, {**values, 'views': views})
    stored = pictures.decode_all(frames.arrays['views'][1])
    assert stored.shape == (2, 96, 96, 3)
    assert np.abs(stored.astype(int) - np.stack(views)).mean() < 2.0
    assert frames.arrays['actions'][1].shape == (3, 2, 7)


def test_an_image_that_no_slot_holds_is_refused():
    noise = np.random.default_rng(0).integers(0, 255, (224, 224, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match='224 px'):
        pictures.encode(noise)


def test_the_bin_is_where_its_middle_is_projected(env):
    env.reset(seed=7)
    values = label(env, Expert(), LIFTS, (*COLOURS, BIN))
    centre = env.state().bin_position + [0.0, 0.0, BIN_FLOOR]
    assert values['seen'][0, -1] == 1
    np.testing.assert_allclose(
        values['places'][0, -1], env.project(centre, 'agent')[:2] / env.image_size, atol=1e-6
    )
    np.testing.assert_allclose(values['vectors'][-1], centre - env.state().ee_position, atol=1e-6)
    assert values['turns'][-1] == 0.0


def test_the_tool_is_where_it_is_projected_and_no_way_from_itself(env):
    env.reset(seed=7)
    values = label(env, Expert(), LIFTS, (*COLOURS, BIN, TOOL))
    position = env.ee_pose()[0]
    assert values['seen'][0, -1] == 1
    np.testing.assert_allclose(
        values['places'][0, -1], env.project(position, 'agent')[:2] / env.image_size, atol=1e-6
    )
    np.testing.assert_array_equal(values['vectors'][-1], 0.0)
    np.testing.assert_allclose(values['proprio'][:3], position, atol=1e-6)


@pytest.mark.parametrize('kind', ['wander', 'demonstration'])
def test_chunks_do_not_depend_on_the_order_they_are_made_in(tmp_path, env, kind):
    one = fill(tmp_path / 'one', env, kind, [0, 1])
    two = fill(tmp_path / 'two', env, kind, [1, 0])
    assert one.done.all()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, two.arrays[name], err_msg=name)


def test_a_half_made_set_goes_on_and_another_recipe_is_refused(tmp_path, env):
    frames = Frames.create(tmp_path, spec(12))
    TabletopMaker(env, 'wander').make_chunk(frames, 1, 0, Disturbance())
    again = Frames.create(tmp_path, spec(12))
    np.testing.assert_array_equal(again.ready(), np.arange(6, 12))
    with pytest.raises(ValueError, match='another recipe: count is 12, expected 24; remove'):
        Frames.create(tmp_path, spec(24))


def test_frames_from_other_seeds_are_refused_where_it_is_said_how_they_were_made(tmp_path):
    made = replace(spec(12), made='wander from seed 0')
    Frames.create(tmp_path / 'told', made)
    with pytest.raises(ValueError, match='made is wander from seed 0, expected wander from seed'):
        Frames.create(tmp_path / 'told', replace(made, made='wander from seed 5000'))
    Frames.create(tmp_path / 'untold', spec(12))
    assert len(Frames.create(tmp_path / 'untold', made)) == 12


def test_a_folder_of_another_version_is_refused_by_the_file(tmp_path):
    frames = Frames.create(tmp_path, spec(12))
    np.save(tmp_path / 'width.npy', np.zeros((12, 2), np.float32))
    with pytest.raises(ValueError, match=r'width\.npy has float32 \[12, 2\], expected float32 \['):
        Frames(tmp_path)
    (tmp_path / 'width.npy').write_bytes(b'')
    with pytest.raises(ValueError, match=r'width\.npy cannot be read'):
        Frames(tmp_path)
    (tmp_path / META).write_text('{"pictures": 3}')
    with pytest.raises(ValueError, match=r'holds no frames: .*pictures'):
        Frames(tmp_path)
    assert len(frames) == 12


def test_seeds_outside_the_training_range_are_refused(tmp_path, env):
    frames = Frames.create(tmp_path, spec(12))
    with pytest.raises(ValueError, match='training'):
        TabletopMaker(env, 'wander').make_chunk(frames, 0, 999_900, Disturbance())
    with pytest.raises(ValueError, match='holds no frames'):
        Frames(tmp_path / 'nothing')
