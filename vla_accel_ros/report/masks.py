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

"""Which tokens were kept, as bits: a byte for eight tokens, on disk and in the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vla_accel_ros.report.moments import Camera


def pack(kept: Sequence[np.ndarray], cameras: Sequence[Camera]) -> tuple[bytes, ...]:
    """Pack the tokens kept.

    Args:
        kept: int [n] for each camera, row * columns + column; empty altogether where all were
            kept or none looked at.
        cameras: With their grids.

    Returns:
        For each camera one bit a token, the first in the highest bit; () for an empty `kept`.

    Raises:
        ValueError: When the cameras are not as many, or an index is outside its grid.
    """
    if not len(kept):
        return ()
    if len(kept) != len(cameras):
        raise ValueError(f'kept tokens of {len(kept)} cameras, expected {len(cameras)}')
    return tuple(
        _bits(np.asarray(ids, np.int64), camera) for ids, camera in zip(kept, cameras, strict=True)
    )


def unpack(bits: Sequence[bytes]) -> tuple[np.ndarray, ...]:
    """Return the tokens kept, int64 [n] a camera, of what `pack` returned."""
    return tuple(np.flatnonzero(np.unpackbits(np.frombuffer(b, np.uint8))) for b in bits)


def split(kept_ids: np.ndarray, cameras: Sequence[Camera]) -> tuple[np.ndarray, ...]:
    """Split the policy's indices of all cameras into one array a camera.

    Args:
        kept_ids: int [n], tokens of the cameras one after the other.
        cameras: With their grids.

    Returns:
        int [n] for each camera, row * columns + column.
    """
    ids = np.asarray(kept_ids, np.int64)
    ends = np.cumsum([camera.rows * camera.columns for camera in cameras])
    starts = [0, *ends[:-1]]
    return tuple(
        ids[(ids >= start) & (ids < end)] - start for start, end in zip(starts, ends, strict=True)
    )


def _bits(ids: np.ndarray, camera: Camera) -> bytes:
    tokens = camera.rows * camera.columns
    if len(ids) and not (ids.min() >= 0 and ids.max() < tokens):
        raise ValueError(
            f'token {ids.max()} of camera {camera.name!r}, expected 0 to {tokens - 1}: '
            f'a grid of {camera.rows}x{camera.columns}'
        )
    mask = np.zeros(tokens, bool)
    mask[ids] = True
    return np.packbits(mask).tobytes()
