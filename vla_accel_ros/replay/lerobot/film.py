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

"""A camera's pictures as a video, in the order in which they come."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from vla_accel_ros.replay.lerobot.layout import DatasetError

CODEC, PIXELS = 'libx264', 'yuv420p'
# Every so many pictures one can be decoded without those before it, as LeRobot has it.
GROUP = 2
# Of x264, 0 without losses to 51: what an eye does not see.
LOSS = 18


class Film:
    """Writes an H.264 video.

    Args:
        path: The .mp4 file.
        shape: Of a picture, [h, w, 3].
        fps: Pictures a second.

    Raises:
        DatasetError: When height or width is odd, which the format does not have.
        ModuleNotFoundError: When the extra `sim`, which brings ffmpeg, is not installed.
    """

    def __init__(self, path: Path, shape: Sequence[int], fps: float) -> None:
        from imageio_ffmpeg import write_frames

        self._shape, self._fps = tuple(shape), fps
        height, width = self._shape[:2]
        if height % 2 or width % 2:
            raise DatasetError(
                f'{path.parents[1].name} has pictures of {width}x{height}, expected even numbers '
                'for a video: write them as pictures'
            )
        self._writer: Generator[None, np.ndarray | None, None] = write_frames(
            str(path),
            (width, height),
            fps=fps,
            codec=CODEC,
            pix_fmt_out=PIXELS,
            macro_block_size=1,
            quality=None,
            ffmpeg_log_level='error',
            output_params=['-crf', str(LOSS), '-g', str(GROUP)],
        )
        self._writer.send(None)

    def add(self, pixels: np.ndarray) -> None:
        """Append a picture, uint8 [h, w, 3], RGB."""
        self._writer.send(np.ascontiguousarray(pixels))

    def close(self) -> None:
        """End the video."""
        self._writer.close()

    def facts(self) -> dict:
        """Give what `meta/info.json` says of the video."""
        return {
            'video.height': self._shape[0],
            'video.width': self._shape[1],
            'video.channels': self._shape[2],
            'video.codec': 'h264',
            'video.pix_fmt': PIXELS,
            'video.fps': self._fps,
            'video.is_depth_map': False,
            'has_audio': False,
        }
