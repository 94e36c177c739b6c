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

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
from PIL import Image
import pytest

from vla_accel_ros.frames import FramePairer, age_fault, fit_view, stack_views
from vla_accel_ros.observations import split_views

MS = 1_000_000


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_one_camera_passes_every_frame_with_its_stamp():
    pairer = FramePairer(1, 0)
    assert pairer.add(0, 7, 'a') == (7, ('a',))
    assert pairer.add(0, 9, 'b') == (9, ('b',))


def test_a_set_is_in_camera_order_and_has_the_oldest_stamp():
    pairer = FramePairer(2, 20 * MS)
    assert pairer.add(1, 1010 * MS, 'wrist') is None
    assert pairer.add(0, 1000 * MS, 'agent') == (1000 * MS, ('agent', 'wrist'))


def test_frames_further_apart_than_the_tolerance_do_not_pair():
    pairer = FramePairer(2, 20 * MS)
    assert pairer.add(0, 1000 * MS, 'a') is None
    assert pairer.add(1, 1021 * MS, 'b') is None
    assert pairer.add(0, 1041 * MS, 'c') == (1021 * MS, ('c', 'b'))
    assert pairer.counts['unpaired'] == 1


def test_a_camera_that_lags_by_more_than_a_period_still_pairs():
    pairer = FramePairer(2, 10 * MS)
    sets = []
    for k in range(10):
        sets.append(pairer.add(0, 33 * k * MS, k))
        if k >= 2:
            sets.append(pairer.add(1, 33 * (k - 2) * MS, k - 2))
    found = [s.frames for s in sets if s]
    assert found == [(k, k) for k in range(8)]


def test_a_stamp_that_does_not_advance_is_out_of_order():
    pairer = FramePairer(1, 0)
    pairer.add(0, 100 * MS, 'a')
    assert pairer.add(0, 100 * MS, 'again') is None
    assert pairer.add(0, 60 * MS, 'older') is None
    assert pairer.counts['out_of_order'] == 2


def test_a_clock_that_began_anew_starts_afresh():
    pairer = FramePairer(2, 10 * MS)
    pairer.add(0, 5000 * MS, 'before')
    assert pairer.add(0, 100 * MS, 'a') is None
    assert pairer.add(1, 100 * MS, 'b') == (100 * MS, ('a', 'b'))


@pytest.mark.parametrize(('cameras', 'tolerance'), [(0, 0), (1, -1)])
def test_no_camera_or_a_negative_tolerance_is_refused(cameras, tolerance):
    with pytest.raises(ValueError, match='expected at least 1'):
        FramePairer(cameras, tolerance)


@given(
    st.integers(1, 4), st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=80))
def test_sets_hold_the_tolerance_advance_and_use_no_frame_twice(cameras, tolerance, events):
    pairer = FramePairer(cameras, tolerance, restart_ns=10_000)
    used, last, added = set(), -1, 0
    for number, (camera, stamp) in enumerate(events):
        added += 1
        made = pairer.add(camera % cameras, stamp, (number, camera % cameras, stamp))
        if made is None:
            continue
        stamps = [stamp for _, _, stamp in made.frames]
        assert [camera for _, camera, _ in made.frames] == list(range(cameras))
        assert max(stamps) - min(stamps) <= tolerance
        assert made.stamp_ns == min(stamps) > last
        assert not used & set(made.frames)
        used |= set(made.frames)
        last = made.stamp_ns
    lost = pairer.counts['unpaired'] + pairer.counts['out_of_order']
    waiting = sum(map(len, pairer._waiting))
    assert len(used) + lost + waiting == added


@pytest.mark.parametrize(('stamp', 'fault'), [
    (0, 'unstamped_frame'), (500 * MS, 'stale_frame'), (701 * MS, ''), (1000 * MS, ''),
    (1050 * MS, ''), (1051 * MS, 'future_frame'),
])
def test_stamps_are_judged_against_the_present(stamp, fault):
    assert age_fault(stamp, 1000 * MS, 300 * MS, 50 * MS) == fault


def test_a_view_that_has_the_size_is_not_touched():
    image = picture(64, 64)
    assert fit_view(image, 64) is image
    other = picture(48, 64)
    assert fit_view(other, 0) is other


def test_the_naive_resize_is_pils_antialiased_bicubic():
    image = picture(480, 640)
    expected = np.asarray(Image.fromarray(image).resize((224, 224), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(fit_view(image, 224), expected)


@pytest.mark.parametrize('filter_name', ['bicubic', 'area'])
@pytest.mark.parametrize('resize', ['resize-naive', 'letterbox', 'resize-crop'])
@pytest.mark.parametrize('shape', [(480, 640), (640, 480), (1, 7), (100, 100)])
def test_every_strategy_gives_the_size(resize, filter_name, shape):
    fitted = fit_view(picture(*shape), 32, resize, filter_name)
    assert fitted.shape == (32, 32, 3) and fitted.dtype == np.uint8


def test_letterbox_pads_and_resize_crop_takes_the_middle():
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 50:150] = 255
    padded = fit_view(image, 200, 'letterbox')
    assert (padded[:49] == 127).all() and (padded[151:] == 127).all()
    assert (fit_view(image, 50, 'resize-crop') == 255).all()


def test_the_centre_crop_keeps_its_share_of_the_area():
    image = picture(100, 200)
    cropped = fit_view(image, 0, centre_crop=0.81)
    np.testing.assert_array_equal(cropped, image[5:95, 10:190])


@pytest.mark.parametrize('options', [
    {'resize': 'squash'}, {'filter_name': 'lanczos'}, {'centre_crop': 0.0}])
def test_unknown_ways_of_fitting_are_refused(options):
    with pytest.raises(ValueError, match='expected one of'):
        fit_view(picture(8, 8), 4, **options)


def test_stacked_views_come_apart_again():
    views = [picture(32, 32, seed) for seed in range(3)]
    apart = split_views(stack_views(views), 3)
    for view, back in zip(views, apart, strict=True):
        np.testing.assert_array_equal(view, back)


def test_views_of_different_sizes_do_not_stack():
    with pytest.raises(ValueError, match='expected one size'):
        stack_views([picture(32, 32), picture(16, 32)])
