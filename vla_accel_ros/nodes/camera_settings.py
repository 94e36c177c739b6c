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

"""The parameters of the camera node."""

from __future__ import annotations

from dataclasses import replace

from vla_accel_ros.inputs.views import FILTERS, RESIZES
from vla_accel_ros.options import Option
from vla_accel_ros.ros.common_options import REAL_TIME, SILENCE

SETTINGS = (
    Option(
        'image_topics',
        ('image_raw',),
        'Camera topics in the order of the checkpoint; raw or compressed, as their publishers are',
        when='configure',
    ),
    Option(
        'image_size',
        224,
        'Side of the square that each view becomes; the checkpoint dictates it, 0 leaves it be',
        unit='px',
        range=(0, 1024),
    ),
    Option(
        'resize',
        'resize-naive',
        'How a view becomes square: squeezed, padded or cropped; as the checkpoint was trained',
        choices=RESIZES,
    ),
    Option(
        'filter',
        'bicubic',
        'How pixels are resampled: bicubic as OpenVLA was trained, lanczos as its fine-tuned '
        'checkpoints with a centre crop, area is faster',
        choices=FILTERS,
    ),
    Option(
        'centre_crop',
        1.0,
        'Share of the area kept before resizing; 1 where the checkpoint has its own crop',
        range=(0.05, 1.0),
    ),
    Option(
        'pair_tolerance',
        0.02,
        'Largest difference of capture stamps among the views of one observation',
        unit='s',
        range=(0.0, 1.0),
    ),
    Option(
        'max_age',
        0.3,
        'Frames older than this when they arrive are refused: acting on them is acting blind',
        unit='s',
        range=(0.01, 10.0),
    ),
    Option(
        'max_future',
        0.05,
        'Frames stamped further ahead than this are refused: the clocks disagree',
        unit='s',
        range=(0.0, 10.0),
    ),
    replace(SILENCE, why='After so long without a usable observation the node reports `no_frame`'),
    REAL_TIME,
)
