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

"""Zstandard in memory, as far as there may be that much of it."""

from __future__ import annotations

PIECE = 1 << 20
# A few bytes must not become more than there is memory.
LARGEST = 1 << 30


def decompress(data: bytes, several: bool = False) -> bytes:
    """Decompress a message or a chunk.

    Args:
        data: What is compressed.
        several: Whether it may be several frames, one after the other.

    Raises:
        ValueError: When it becomes larger than `LARGEST`.
        zstandard.ZstdError: When it is corrupt.
    """
    import zstandard

    stream = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=several)
    whole = bytearray()
    while piece := stream.read(PIECE):
        whole += piece
        if len(whole) > LARGEST:
            raise ValueError(f'it has more than {LARGEST} bytes')
    return bytes(whole)
