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


"""Tests of what the cameras see, and of projection."""

import threading

import numpy as np
import pytest

from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.sim.scene import COLOURS, CUBE_HALF


def mask(image, colour):
    """Return where one of the three channels outshines the two others."""
    channel = COLOURS.index(colour)
    values = image.astype(int)
    others = values[..., [c for c in range(3) if c != channel]].max(axis=-1)
    return (values[..., channel] > 60) & (values[..., channel] > 1.6 * others)


def corners(state, colour):
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return state.cubes[colour] + CUBE_HALF * signs @ state.rotations[colour].T


@pytest.mark.parametrize('seed', range(8))
def test_the_agent_camera_sees_every_cube_at_the_start_where_projection_says(seeing, seed):
    view = seeing.reset(seed=seed)[0]['agent']
    state = seeing.state()
    for colour in COLOURS:
        seen = mask(view, colour)
        assert seen.sum() > 120
        rows, columns = np.nonzero(seen)
        box = seeing.project(corners(state, colour), 'agent')[:, :2]
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(found - np.concatenate([box.min(0), box.max(0)])).max() < 2.0


@pytest.mark.parametrize('colour', COLOURS)
def test_the_wrist_camera_looks_along_the_fingers_at_the_cube_being_grasped(seeing, colour):
    expert = Expert()
    seeing.reset(seed=2, options={'task': f'pick up the {colour} cube'})
    for _ in range(60):
        state = seeing.state()
        if abs(state.ee_position[2] - state.cubes[colour][2]) < 0.05:
            break
        seeing.advance(expert.action(state, seeing.task))
    view = seeing.render_camera('wrist', 96)
    seen = mask(view, colour)
    assert seen.mean() > 0.04
    columns = np.nonzero(seen)[1]
    assert abs(columns.mean() - 48) < 8
    column, row, depth = seeing.project(state.cubes[colour], 'wrist', 96)
    assert 0 < column < 96 and 0 < row < 96 and depth > 0


def test_a_coarse_picture_is_drawn_roughly_and_shows_the_same_things_in_the_same_places(seeing):
    fine = seeing.reset(seed=3)[0]['agent']
    env = TabletopEnv(cameras=('agent',), coarse=True)
    rough = env.reset(seed=3)[0]['agent']
    env.close()
    for colour in COLOURS:
        seen, again = mask(fine, colour), mask(rough, colour)
        assert (seen & again).sum() > 0.9 * (seen | again).sum() > 100
    # Smooth edges have colours between those of two things.
    assert len(np.unique(rough.reshape(-1, 3), axis=0)) < len(
        np.unique(fine.reshape(-1, 3), axis=0)
    )


def test_the_bin_and_the_tool_are_in_the_agent_view(seeing):
    seeing.reset(seed=1)
    points = np.stack([seeing.state().bin_position, seeing.ee_pose()[0]])
    pixels = seeing.project(points, 'agent', (96, 128))
    assert np.all(pixels[:, 0] > 0) and np.all(pixels[:, 0] < 128)
    assert np.all(pixels[:, 1] > 0) and np.all(pixels[:, 1] < 96)


def test_a_point_behind_the_camera_has_no_positive_depth(seeing):
    seeing.reset(seed=1)
    assert seeing.project([3.0, 0.0, 1.0], 'agent')[2] <= 0


@pytest.mark.parametrize('size', [(48, 64), 32, 224])
def test_a_view_has_the_size_asked_for(seeing, size):
    seeing.reset(seed=1)
    expected = (*size, 3) if isinstance(size, tuple) else (size, size, 3)
    view = seeing.render_camera('scene', size)
    assert view.shape == expected and view.dtype == np.uint8


@pytest.mark.parametrize('size', [0, 7, 5000, 64.5, (64,), (64, 64, 3), (0, 64), '64'])
def test_a_size_out_of_range_is_named(seeing, size):
    with pytest.raises(ValueError, match='image size'):
        seeing.render_camera('agent', size)


def test_an_unknown_camera_lists_the_ones_there_are(seeing):
    with pytest.raises(ValueError, match='agent, wrist, scene'):
        seeing.render_camera('moon')
    with pytest.raises(ValueError, match='agent, wrist, scene'):
        seeing.project([0, 0, 0], 'moon')
    with pytest.raises(ValueError, match='agent, wrist, scene'):
        TabletopEnv(cameras=('moon',))


@pytest.mark.parametrize('points', [3.0, [1.0, 2.0], np.zeros((4, 2))])
def test_points_of_a_wrong_shape_are_named(seeing, points):
    with pytest.raises(ValueError, match='points have shape'):
        seeing.project(points, 'agent')


def test_a_view_is_the_same_from_another_thread_and_after_closing(seeing):
    here = seeing.reset(seed=3)[0]['wrist']
    there = []
    thread = threading.Thread(target=lambda: there.append(seeing.render_camera('wrist')))
    thread.start()
    thread.join()
    assert np.array_equal(there[0], here)
    seeing.close()
    assert np.array_equal(seeing.render_camera('wrist'), here)
