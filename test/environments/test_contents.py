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

"""What an environment shows of itself."""

from types import SimpleNamespace

from gymnasium.spaces import Box, Dict
import numpy as np
import pytest
import torch

from vla_accel_ros.environments import contents

IMAGE = Box(0, 255, (8, 8, 3), np.uint8)


def test_views_are_the_uint8_images_however_deep():
    space = Dict(
        {
            'agent': IMAGE,
            'depth': Box(0, 1, (8, 8, 1), np.float32),
            'hand': Dict({'rgb': IMAGE, 'touch': Box(0, 255, (8,), np.uint8)}),
        }
    )
    assert contents.views_of(space) == ['agent', 'hand.rgb']
    assert contents.views_of(IMAGE) == ['']
    assert contents.views_of(Box(-1, 1, (3,))) == []
    assert contents.views_of(Box(0, 255, (1, 8, 8, 3), np.uint8)) == ['']
    assert contents.views_of(Box(0, 255, (2, 8, 8, 3), np.uint8)) == []


@pytest.mark.parametrize('wrap', [np.asarray, torch.as_tensor])
def test_batches_of_one_and_tensors_are_taken_apart(wrap):
    picture = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)
    assert np.array_equal(contents.image_of(wrap(picture[None]), 'front', 8), picture)
    assert contents.succeeded(0.0, False, {'success': wrap(np.array([True]))}) is True
    assert contents.succeeded(wrap(np.array([1.0])), wrap(np.array([True])), {}) is True
    with pytest.raises(ValueError, match=r'uint8 \[2, 8, 9, 3\], expected'):
        contents.image_of(wrap(np.stack([picture, picture])), 'front', 8)


def test_parts_are_found_with_dots_and_missing_ones_named():
    seen = {'hand': {'rgb': 1}}
    assert contents.part_of(seen, 'hand.rgb') == 1
    assert contents.part_of(seen, '') is seen
    with pytest.raises(ValueError, match=r"no 'foot', it has: \['hand'\]"):
        contents.part_of(seen, 'foot')
    with pytest.raises(ValueError, match=r"no 'hand\.rgb\.left', it has: no keys"):
        contents.part_of(seen, 'hand.rgb.left')


@pytest.mark.parametrize(
    ('value', 'said'),
    [
        (np.zeros((8, 8, 3)), r'float64 \[8, 8, 3\], expected uint8'),
        (np.zeros((8, 8), np.uint8), r'uint8 \[8, 8\], expected'),
        (None, 'object'),
        (np.zeros((8, 16, 3), np.uint8), "'front' is 16 x 8 pixels, the policy sees 12"),
    ],
)
def test_what_is_no_picture_or_too_small_is_refused(value, said):
    with pytest.raises(ValueError, match=said):
        contents.image_of(value, 'front', 12)


def environment(**attributes):
    return SimpleNamespace(unwrapped=SimpleNamespace(**attributes), metadata={'render_fps': 10})


@pytest.mark.parametrize(
    ('attributes', 'info', 'found'),
    [
        ({}, {'instruction': 'push'}, 'push'),
        ({'task_description': 'pull'}, {}, 'pull'),
        ({'get_language_instruction': lambda: 'turn'}, {}, 'turn'),
        ({'get_language_instruction': lambda: ['lift']}, {}, 'lift'),
        ({'get_language_instruction': lambda: ['lift', 'push']}, {}, ''),
        ({'instruction': 3}, {}, ''),
        ({}, {}, ''),
    ],
)
def test_the_instruction_is_where_environments_have_it(attributes, info, found):
    assert contents.instruction_of(environment(**attributes), info) == found


def test_the_step_is_the_environments_or_that_of_its_film():
    assert contents.step_of(environment(control_dt=0.05)) == 0.05
    assert contents.step_of(environment()) == pytest.approx(0.1)
    assert contents.step_of(SimpleNamespace(unwrapped=None, metadata=None)) is None


@pytest.mark.parametrize(
    ('reward', 'terminated', 'info', 'success'),
    [
        (0.0, False, {'success': True}, True),
        (1.0, True, {'success': False}, False),
        (0.0, False, {'is_success': np.float32(1.0)}, True),
        (1.0, True, {}, True),
        (0.0, True, {}, False),
        (1.0, False, {}, False),
    ],
)
def test_success_is_what_the_environment_says_else_an_end_with_a_reward(
    reward, terminated, info, success
):
    assert contents.succeeded(reward, terminated, info) is success
