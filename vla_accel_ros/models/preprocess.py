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

"""From camera images to the pixel values that the towers take, as the original does it.

Two steps, so that a camera driver may do the first where the frame arrives: *fit* gives a
uint8 image of the model's size, *normalise* gives floats, three channels an image and tower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vla_accel_ros.inputs.views import fit_view
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.resample import centre_crop, lanczos


class CameraCountError(ValueError):
    """The observation has another number of images than the checkpoint wants."""


def fit(image: np.ndarray, config: VLAConfig) -> np.ndarray:
    """Bring an image to the model's size by the checkpoint's strategy.

    Checkpoints with a centre crop saw images that were first Lanczos-resized to the model's
    size, then cropped and resized back bilinearly; so does this.

    Args:
        image: uint8 [h, w, 3] RGB.
        config: Says size, strategy and crop.

    Returns:
        uint8 [size, size, 3]; the image itself where nothing is to do.
    """
    size = config.image_size
    if config.centre_crop is not None:
        image = centre_crop(lanczos(image, size, size), config.centre_crop, size)
    border = tuple(int(mean * 255) for mean in config.towers[-1].mean)
    return fit_view(image, size, config.resize, border=border)


def with_cameras(config: VLAConfig, cameras: int) -> VLAConfig:
    """Give the configuration for a robot with so many views.

    A view that is not there is not run at all: its tokens have no positions in the originals, and
    nobody looks at them.

    Args:
        config: The checkpoint's.
        cameras: Views that the robot has, the checkpoint's in their order.

    Raises:
        CameraCountError: When the checkpoint cannot do with that many.
    """
    if cameras == config.cameras:
        return config
    most = config.head.most_cameras
    if not 1 <= cameras <= most:
        wanted = f'1 to {most}' if most else f'{config.cameras}'
        raise CameraCountError(f'got {cameras} images, the checkpoint wants {wanted} views')
    return replace(config, image_towers=config.image_towers[:1] * cameras)


class Preprocessor:
    """From an observation's images to pixel values.

    Args:
        config: The checkpoint's.
    """

    def __init__(self, config: VLAConfig) -> None:
        self._config = config
        # A uint8 has 256 values, so normalising is looking up: [tower][channel, value].
        values = np.arange(256, dtype=np.float32) / np.float32(255)
        self._tables = [
            (values - np.float32(np.array(tower.mean))[:, None])
            / np.float32(np.array(tower.std))[:, None]
            for tower in config.towers
        ]

    def __call__(self, images: Sequence[np.ndarray], resized: bool = False) -> np.ndarray:
        """Fit and normalise.

        Args:
            images: One uint8 [h, w, 3] a camera, in the checkpoint's order.
            resized: Whether they went through `fit` already.

        Returns:
            float32 [1, channels, size, size], image by image, tower by tower.

        Raises:
            CameraCountError: When the number of images is not what the checkpoint wants.
            ValueError: When images said to be resized have another size.
        """
        config = self._config
        if len(images) != config.cameras:
            raise CameraCountError(
                f'got {len(images)} images, the checkpoint wants {config.cameras} views'
            )
        size = config.image_size
        pixels = np.empty((1, config.channels, size, size), np.float32)
        channel = 0
        for image, towers in zip(images, config.image_towers, strict=True):
            image = image if resized else fit(image, config)
            if image.shape != (size, size, 3):
                raise ValueError(f'image is {list(image.shape)}, expected [{size}, {size}, 3]')
            for tower in towers:
                for colour in range(3):
                    np.take(
                        self._tables[tower][colour],
                        image[:, :, colour],
                        out=pixels[0, channel],
                        mode='clip',
                    )
                    channel += 1
        return pixels
