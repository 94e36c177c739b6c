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


"""A view is fitted in one way, wherever it is."""

from dataclasses import replace

import numpy as np
from PIL import Image
import pytest

from vla_accel_ros.inputs.views import FILTERS, RESIZES, fit_view
from vla_accel_ros.models.preprocess import fit
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.resample import lanczos


@pytest.fixture(scope='module')
def embedded_config():
    return embedded(50, image_size=32)


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_a_view_that_has_the_size_is_not_touched():
    image = picture(64, 64)
    assert fit_view(image, 64) is image
    other = picture(48, 64)
    assert fit_view(other, 0) is other


def test_the_naive_resize_is_pils_antialiased_bicubic():
    image = picture(480, 640)
    expected = np.asarray(Image.fromarray(image).resize((224, 224), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(fit_view(image, 224), expected)


@pytest.mark.parametrize('filter_name', FILTERS)
@pytest.mark.parametrize('resize', RESIZES)
@pytest.mark.parametrize('shape', [(480, 640), (640, 480), (1, 7), (100, 100)])
def test_every_strategy_gives_the_size(resize, filter_name, shape):
    fitted = fit_view(picture(*shape), 32, resize, filter_name)
    assert fitted.shape == (32, 32, 3) and fitted.dtype == np.uint8


def test_letterbox_pads_and_resize_crop_takes_the_middle():
    image = np.zeros((100, 200, 3), np.uint8)
    # The middle, and what the filter sees beyond it: first resized, then cut out.
    image[:, 40:160] = 255
    padded = fit_view(image, 200, 'letterbox')
    assert (padded[:49] == 127).all() and (padded[151:] == 127).all()
    assert (fit_view(image, 50, 'resize-crop') == 255).all()


def test_the_centre_crop_keeps_its_share_of_the_area():
    image = picture(100, 200)
    cropped = fit_view(image, 0, centre_crop=0.81)
    np.testing.assert_array_equal(cropped, image[5:95, 10:190])


@pytest.mark.parametrize(
    'options', [{'resize': 'squash'}, {'filter_name': 'nearest'}, {'centre_crop': 0.0}]
)
def test_unknown_ways_of_fitting_are_refused(options):
    with pytest.raises(ValueError, match='expected one of'):
        fit_view(picture(8, 8), 4, **options)


@pytest.mark.parametrize('shape', [(480, 640), (63, 40)])
@pytest.mark.parametrize('resize', RESIZES)
def test_the_camera_node_fits_as_the_model_does(embedded_config, resize, shape):
    config = replace(embedded_config, resize=resize)
    np.testing.assert_array_equal(
        fit_view(picture(*shape), config.image_size, resize), fit(picture(*shape), config)
    )


@pytest.mark.parametrize('shape', [(480, 640), (128, 128)])
def test_lanczos_is_tensorflows_but_for_rounding_and_bicubic_is_not(shape):
    smooth = Image.fromarray(picture(30, 40)).resize(shape[::-1], Image.Resampling.BICUBIC)
    image = np.asarray(smooth)
    expected = lanczos(image, 32, 32).astype(int)
    # In grey levels; PIL rounds, and cuts overshoot off, between rows and columns, too.
    assert np.abs(fit_view(image, 32, filter_name='lanczos') - expected).mean() < 0.2
    assert np.abs(fit_view(image, 32) - expected).mean() > 3


@pytest.mark.parametrize('resize', ['letterbox', 'resize-crop'])
def test_an_image_like_a_line_is_refused_before_it_fills_the_memory(resize):
    with pytest.raises(ValueError, match='65535x1'):
        fit_view(np.zeros((1, 65535, 3), np.uint8), 224, resize)
