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

"""Images reach the towers as the original brings them there (its numbers: test_verify)."""

from dataclasses import replace

import numpy as np
import pytest

from vla_accel_ros.models.preprocess import CameraCountError, Preprocessor, fit
from vla_accel_ros.models.resample import centre_crop, lanczos


@pytest.fixture
def config(embedded_config):
    return replace(embedded_config, image_towers=((0,),))


def gradient(height, width):
    rows = np.linspace(0, 255, height)[:, None, None]
    return np.broadcast_to(rows, (height, width, 3)).astype(np.uint8)


def test_an_image_of_the_right_size_passes_untouched(config):
    image = gradient(32, 32)
    for strategy in ('resize-naive', 'letterbox', 'resize-crop'):
        assert fit(image, replace(config, resize=strategy)) is image


@pytest.mark.parametrize('shape', [(48, 64), (64, 48), (33, 97), (20, 21)])
@pytest.mark.parametrize('strategy', ['resize-naive', 'letterbox', 'resize-crop'])
def test_every_strategy_gives_the_models_size(config, strategy, shape):
    assert fit(gradient(*shape), replace(config, resize=strategy)).shape == (32, 32, 3)


def test_letterbox_pads_with_the_mean_and_resize_crop_does_not(config):
    white = np.full((32, 64, 3), 255, np.uint8)
    boxed = fit(white, replace(config, resize='letterbox'))
    assert (boxed[0] == 127).all() and (boxed[16] == 255).all()
    assert (fit(white, replace(config, resize='resize-crop')) == 255).all()


def test_resize_naive_ignores_the_aspect(config):
    resized = fit(gradient(64, 200), config)
    assert resized[0].max() < 10 and resized[-1].min() > 245


def test_normalising_is_the_formula(config, views):
    tower = replace(config.towers[0], mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    pixels = Preprocessor(replace(config, towers=(tower, config.towers[1])))(views[:1])
    unit = views[0].astype(np.float32) / np.float32(255)
    expected = (unit - np.float32(tower.mean)) / np.float32(tower.std)
    assert pixels.dtype == np.float32
    assert (pixels[0] == expected.transpose(2, 0, 1)).all()


def test_channels_are_stacked_image_by_image_and_tower_by_tower(small_config, views):
    config = replace(
        small_config,
        towers=(
            replace(small_config.towers[0], mean=(0.0,) * 3, std=(1.0,) * 3),
            small_config.towers[1],
        ),
    )
    pixels = Preprocessor(config)(views)
    for index, image in enumerate(views):
        unit = (image / 255).transpose(2, 0, 1)
        assert pixels[0, 6 * index : 6 * index + 3] == pytest.approx(unit, abs=1e-6)
        assert pixels[0, 6 * index + 3 : 6 * index + 6] == pytest.approx(2 * unit - 1, abs=1e-6)


def test_a_wrong_number_of_views_says_how_many_are_wanted(embedded_config, views):
    with pytest.raises(CameraCountError, match='got 1 images, the checkpoint wants 2 views'):
        Preprocessor(embedded_config)(views[:1])


def test_images_said_to_be_fitted_must_be(config):
    with pytest.raises(ValueError, match=r'\[16, 16, 3\], expected \[32, 32, 3\]'):
        Preprocessor(config)([np.zeros((16, 16, 3), np.uint8)], resized=True)


def test_crop_is_made_of_the_lanczos_resized_image(config):
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    expected = centre_crop(lanczos(image, 32, 32), 0.9, 32)
    assert (fit(image, replace(config, centre_crop=0.9)) == expected).all()


def test_crop_keeps_the_given_area():
    image = np.broadcast_to(np.arange(256)[None, :, None], (256, 256, 3)).astype(np.uint8)
    row = centre_crop(image, 0.25, 256)[0, :, 0].astype(int)
    assert row[0] == pytest.approx(64, abs=1) and row[-1] == pytest.approx(191, abs=1)


@pytest.mark.parametrize('level', [0, 1, 127, 254, 255])
def test_resampling_leaves_a_uniform_image_uniform(level):
    image = np.full((50, 70, 3), level, np.uint8)
    assert (lanczos(image, 32, 32) == level).all()
    assert (centre_crop(image, 0.9, 32) == level).all()
    assert (lanczos(image, 100, 90) == level).all()
