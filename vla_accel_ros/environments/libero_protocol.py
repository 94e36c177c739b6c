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

"""The protocol by which policies of the OpenVLA family are judged on LIBERO.

Numbers and conventions of `run_libero_eval.py` and `libero_utils.py` of OpenVLA and OpenVLA-OFT.
"""

from __future__ import annotations

import io

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments.optional import import_optional

# Policy steps of an episode, a little more than the longest demonstration took.
HORIZONS = {
    'libero_spatial': 220,
    'libero_object': 280,
    'libero_goal': 300,
    'libero_10': 520,
    'libero_90': 400,
}
# Objects are dropped a little above the table; these steps are not the policy's.
SETTLE_STEPS = 10
SETTLE_ACTION = np.zeros(END_EFFECTOR.width)
# What the simulator draws, whatever the policy sees of it.
IMAGE_SIZE = 256
CONTROL_HZ = 20
# Fixtures are placed by numpy's global generator, even where an initial state is set.
LAYOUT_SEED = 0
# TensorFlow's defaults: quality 95, colours at half the resolution.
JPEG_QUALITY = 95
JPEG_SUBSAMPLING = '4:2:0'


def suite_of(name: str) -> str:
    """Return a suite's full name: `spatial` is `libero_spatial`.

    Whatever begins with the name of a standard suite may be a variant of it, such as
    `object_swap`; whether there is such a one only LIBERO knows.

    Raises:
        ValueError: When there can be none; lists the standard ones.
    """
    full = name if name.startswith('libero_') else f'libero_{name}'
    if standard(full) is None:
        raise ValueError(
            f"LIBERO has no suite '{name}', expected one of {', '.join(HORIZONS)}, or a variant "
            'of one, as libero_object_swap'
        )
    return full


def standard(suite: str) -> str | None:
    """Return the standard suite that a suite is, or is a variant of; None where neither."""
    return next((s for s in HORIZONS if suite == s or suite.startswith(f'{s}_')), None)


def horizon(suite: str) -> int:
    """Return the policy steps of an episode; a variant has those of its standard suite."""
    return HORIZONS[standard(suite)]


def turn(image: np.ndarray) -> np.ndarray:
    """Turn a picture as the simulator gives it, bottom row first, by 180 degrees.

    What comes out stands upright and is mirrored, left for right: checkpoints have learnt so.
    """
    return np.ascontiguousarray(image[::-1, ::-1])


def through_jpeg(image: np.ndarray) -> np.ndarray:
    """Return a picture as it comes back from a JPEG file, uint8 [h, w, 3].

    Training sets are stored so, and the original evaluation does the same to each picture before
    it makes it smaller. To the last bit what TensorFlow makes of it: its files are those of any
    libjpeg, but it decodes them by the fast transform, which few others offer.

    Raises:
        ValueError: When the decoder is not installed; says what to do.
    """
    from PIL import Image

    decoder = import_optional('simplejpeg')
    file = io.BytesIO()
    Image.fromarray(image).save(
        file, format='JPEG', quality=JPEG_QUALITY, subsampling=JPEG_SUBSAMPLING
    )
    return decoder.decode_jpeg(file.getvalue(), fastdct=True)


def initial_state(seed: int, tasks: int, states: int) -> int:
    """Return which of a task's initial states an episode starts from.

    Consecutive seeds go through the tasks first, then to the next state; from a multiple of
    `tasks * states` on, that many episodes are each state of each task once.

    Args:
        seed: Of the episode.
        tasks: Tasks that take turns.
        states: Initial states of a task.
    """
    return seed // tasks % states
