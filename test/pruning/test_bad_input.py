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


"""Bad input is a clear error, or every token is kept."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
from pruning_harness import drive, edged, flat, moving, ramp, textured
import pytest
import torch

from vla_accel_ros.pruning.interface import Layout, Scene
from vla_accel_ros.pruning.registry import METHODS, create, make_parameters, parameters_of

CHOOSING = [name for name in METHODS if name != 'none']
FAST = moving(0.5)
STEP = 10**8


def ready(name, layout, **options):
    """A pruner that would drop at the next inference."""
    pruner = create(name, layout, **options)
    for step in range(3):
        drive(pruner, FAST, stamp_ns=step * STEP)
    return pruner


def test_an_unknown_method_lists_the_known_ones(layout):
    for call in (lambda: create('divprune', layout), lambda: parameters_of('divprune')):
        with pytest.raises(ValueError, match=r"method is 'divprune', expected one of \[.*'fastv'"):
            call()


def test_an_unknown_parameter_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"fastv has no parameters \['keeep'\]"):
        make_parameters('fastv', keeep=0.5)


@pytest.mark.parametrize('name', CHOOSING)
def test_a_keep_ratio_of_nothing_is_refused(layout, name):
    with pytest.raises(ValueError, match='keep is 0'):
        create(name, layout, keep=0)


@pytest.mark.parametrize('name', CHOOSING)
def test_keeping_all_changes_nothing(layout, name):
    options = {'budget': 'fixed'} if name in ('sp_vla', 'specprune') else {}
    if name == 'specprune':
        options['layer_level'] = False
    pruner = ready(name, layout, keep=1.0, **options)
    seen = drive(pruner, FAST, stamp_ns=3 * STEP)
    assert seen.count == 256 and not seen.kept


def test_more_tokens_asked_than_exist_is_all_of_them(small):
    pruner = create('specprune', small, k_local=60000, k_global=60000, layer_level=False)
    drive(pruner, FAST)
    assert drive(pruner, FAST, stamp_ns=STEP).count == 72


@pytest.mark.parametrize('name', METHODS)
def test_an_image_smaller_than_a_patch_is_refused(layout, name):
    pruner = create(name, layout)
    with pytest.raises(ValueError, match='image 0 is 8x8 pixels, expected 16x16 patches of 14'):
        pruner.begin(Scene((np.zeros((8, 8, 3), np.uint8),), FAST))


@pytest.mark.parametrize('name', METHODS)
def test_a_missing_camera_is_refused(two_cameras, name):
    pruner = create(name, two_cameras)
    with pytest.raises(ValueError, match='1 images, expected 2'):
        pruner.begin(Scene(textured(two_cameras)[:1], FAST))


@pytest.mark.parametrize('name', ['sp_vla', 'vla_pruner', 'specprune', 'fastv', 'info_entropy'])
def test_without_contrast_all_is_kept(layout, name):
    pruner = ready(name, layout)
    even = torch.full((1, 256), 1 / 256)
    seen = drive(pruner, FAST, stamp_ns=3 * STEP, towers=even, scores=lambda *_: even)
    assert seen.count == 256
    assert pruner.reason == 'no_contrast'


def test_a_camera_without_edges_keeps_all(two_cameras):
    pruner = create('sp_vla', two_cameras)
    images = edged(two_cameras)[:1] + flat(two_cameras)[1:]
    assert drive(pruner, FAST, images).count == 512
    assert pruner.reason == 'no_edges'
    assert drive(pruner, FAST, edged(two_cameras)).count < 512


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.parametrize('value', [0, 127, 255])
def test_a_uniform_image_is_no_error(layout, name, value):
    pruner = create(name, layout)
    for step in range(5):
        assert drive(pruner, FAST, flat(layout, value), step * STEP).count > 0


@pytest.mark.parametrize('name', ['sp_vla', 'vla_pruner', 'specprune', 'fastv', 'info_entropy'])
@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_scores_that_are_not_finite_keep_all_and_the_next_inference_recovers(layout, name, bad):
    pruner = ready(name, layout)
    wrong = ramp(layout)
    wrong[0, 7] = bad
    seen = drive(pruner, FAST, stamp_ns=3 * STEP, towers=wrong, scores=lambda *_: wrong)
    assert seen.count == 256
    assert pruner.reason == 'not_finite'
    assert drive(pruner, FAST, stamp_ns=4 * STEP).count < 256


@pytest.mark.parametrize('name', ['vla_pruner', 'dart'])
def test_features_that_are_not_finite_keep_all(layout, name):
    pruner = ready(name, layout)
    visual = torch.randn(1, 256, 8)
    visual[0, 3, 2] = float('nan')
    assert drive(pruner, FAST, visual=visual).count == 256
    assert pruner.reason == 'not_finite'


@pytest.mark.parametrize('name', ['sp_vla', 'vla_pruner', 'specprune'])
def test_the_first_step_of_an_episode_keeps_all(layout, name):
    assert drive(create(name, layout)).count == 256


@pytest.mark.parametrize('name', CHOOSING)
def test_a_reset_within_an_inference_silences_the_rest_of_it(layout, name):
    pruner = ready(name, layout)
    needs = pruner.begin(Scene(textured(layout), FAST, 3 * STEP))
    pruner.reset()
    assert pruner.after_towers(ramp(layout)) is None
    assert pruner.after_projector(torch.rand(1, 256, 256)) is None
    for layer in needs.layers:
        assert pruner.after_layer(layer, {}) is None
    pruner.after_decode({})
    # As after any reset: the same as a pruner that is new.
    fresh = create(name, layout)
    for step in range(5):
        a, b = (drive(p, FAST, stamp_ns=step * STEP) for p in (pruner, fresh))
        assert torch.equal(a.mask, b.mask)


@pytest.mark.parametrize('name', CHOOSING)
def test_nothing_is_dropped_before_an_inference_began(layout, name):
    pruner = create(name, layout)
    assert pruner.after_towers(ramp(layout)) is None
    assert pruner.after_layer(2, {}) is None


@settings(max_examples=25)
@given(
    st.sampled_from(CHOOSING),
    st.integers(1, 2),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(1, 6),
    st.booleans(),
    st.floats(0.01, 1),
    st.integers(0, 1000),
    st.booleans(),
)
def test_whatever_the_shape_at_least_one_token_stays_and_indices_ascend(
    name, cameras, rows, columns, layers, single_pass, keep, seed, round_up
):
    layout = Layout(cameras, rows, columns, 4, layers, single_pass)
    pruner = create(name, layout, keep=keep, round_up=round_up)
    generator = torch.Generator().manual_seed(seed)

    def scores(*_):
        return torch.rand(cameras, rows * columns, generator=generator)

    for step in range(5):
        seen = drive(
            pruner,
            FAST,
            textured(layout, seed + step),
            step * STEP,
            towers=scores(),
            scores=scores,
            decode=scores,
        )
        assert 0 < seen.count <= layout.total
        previous = layout.total
        for kept in seen.kept.values():
            assert kept.count < previous
            previous = kept.count
            for index in kept.indices:
                assert torch.equal(index, index.sort().values.unique())
                assert not len(index) or 0 <= int(index[0]) <= int(index[-1]) < layout.tokens
