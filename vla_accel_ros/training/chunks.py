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

"""Frames chunk by chunk, each from episodes of its own seeds: the order does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vla_accel_ros.evaluation import seeds
from vla_accel_ros.training.frames import Frames
from vla_accel_ros.training.recipe_parts import SEEDS_A_CHUNK


def chunk_seeds(first: int, chunk: int) -> range:
    """Return the seeds of a chunk's episodes.

    Args:
        first: The set's first one.
        chunk: Which chunk.

    Raises:
        ValueError: When they are not all for training.
    """
    return seeds.require('training', first + chunk * SEEDS_A_CHUNK, SEEDS_A_CHUNK)


def fill_chunk(
    frames: Frames, chunk: int, first: int, episode: Callable[[int], Iterable[dict]]
) -> None:
    """Fill a chunk with the frames of one episode after the other, until it is whole.

    Args:
        frames: Where to.
        chunk: Which chunk.
        first: The set's first seed.
        episode: Gives the frames of a seed's episode, by the names of `frames.layout`.

    Raises:
        ValueError: When the seeds are not all for training, or their episodes are too few.
    """
    span, allowed = frames.spec.span(chunk), chunk_seeds(first, chunk)
    at = span.start
    for seed in allowed:
        for values in episode(seed):
            frames.write(at, values)
            if at + 1 == span.stop:
                frames.finish(chunk)
                return
            at += 1
    raise ValueError(
        f'{len(allowed)} episodes gave {at - span.start} frames, expected '
        f'{span.stop - span.start}: does the disturbance keep too few?'
    )
