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

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
import subprocess

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
        DatasetError: When height or width is odd, which the format does not have, or ffmpeg is
            not there.
        ModuleNotFoundError: When the extra `sim`, which brings ffmpeg, is not installed.
    """

    def __init__(self, path: Path, shape: Sequence[int], fps: float) -> None:
        from imageio_ffmpeg import get_ffmpeg_exe

        self._path, self._shape, self._fps = path, tuple(shape), fps
        height, width = self._shape[:2]
        if height % 2 or width % 2:
            raise DatasetError(
                f'{path.parents[1].name} has pictures of {width}x{height}, expected even numbers '
                'for a video: write them as pictures'
            )
        try:
            program = get_ffmpeg_exe()
        except RuntimeError as error:
            raise DatasetError(f'there is no ffmpeg to write videos with: {error}') from error
        # A rate that is rounded would put later pictures beside their frames' timestamps.
        rate = str(Fraction(fps).limit_denominator(10_000))
        given = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', f'{width}x{height}', '-r', rate]
        made = ['-c:v', CODEC, '-pix_fmt', PIXELS, '-crf', str(LOSS), '-g', str(GROUP)]
        self._log = path.with_suffix('.log')
        with self._log.open('wb') as errors:
            # In a session of its own, a terminal's Ctrl-C does not reach it.
            self._process = subprocess.Popen(
                [program, '-y', '-v', 'error', *given, '-i', '-', *made, str(path)],
                stdin=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def add(self, pixels: np.ndarray) -> None:
        """Append a picture, uint8 [h, w, 3], RGB.

        Raises:
            DatasetError: When ffmpeg has ended; says why.
        """
        try:
            self._process.stdin.write(np.ascontiguousarray(pixels))
        except OSError as error:
            self.close()
            raise DatasetError(f'{self._path.name}: ffmpeg takes no more: {error}') from error

    def close(self) -> None:
        """End the video.

        Raises:
            DatasetError: When it could not be written; says what ffmpeg says of it.
        """
        self._process.communicate()
        if code := self._process.returncode:
            said = self._log.read_text(errors='replace').partition('\n')[0]
            raise DatasetError(f'{self._path.name}: ffmpeg ended with {code}: {said}')
        self._log.unlink()

    def discard(self) -> None:
        """Let go of it, whole or not."""
        self._process.kill()
        self._process.communicate()

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
