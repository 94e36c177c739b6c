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

"""The videos of a LeRobot dataset, read in the order of its frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vla_accel_ros.replay.lerobot.layout import DatasetError, Info


class Videos:
    """Gives the picture of a frame; each file is decoded once, from front to back.

    Args:
        folder: The dataset.
        info: What it says of itself.
        episodes: Rows of `meta/episodes`, by their order.
    """

    def __init__(self, folder: Path, info: Info, episodes: Sequence[Mapping]) -> None:
        self._folder, self._info, self._episodes = folder, info, episodes
        self._open: dict[str, tuple[Path, object, int]] = {}

    def picture(self, camera: str, episode: int, number: int) -> np.ndarray:
        """Return a view, uint8 [h, w, 3] RGB.

        Raises:
            DatasetError: When the video is missing, cannot be decoded, or ends too early.
        """
        import cv2

        facts, fps = self._episodes[episode], self._info.fps
        keys = [f'videos/{camera}/{k}' for k in ('chunk_index', 'file_index', 'from_timestamp')]
        if any(facts.get(key) is None for key in keys):
            raise DatasetError(
                f'{self._folder}: meta/episodes says of episode {episode} not where the video of '
                f'{camera} is, expected {", ".join(keys)}'
            )
        chunk, part, begin_s = (facts[key] for key in keys)
        pattern = self._info.video_path
        if not pattern:
            raise DatasetError(f'{self._folder}: video_path is empty, but {camera} is a video')
        file = self._folder / pattern.format(
            video_key=camera, chunk_index=int(chunk), file_index=int(part)
        )
        wanted = round(float(begin_s) * fps) + number
        path, capture, at = self._open.get(camera, (None, None, 0))
        if path != file or at > wanted:
            if not file.is_file():
                raise DatasetError(f'{file} is missing')
            capture, at = cv2.VideoCapture(str(file)), 0
        pixels = None
        while at <= wanted:
            came, pixels = capture.read()
            if not came:
                raise DatasetError(
                    f'{file} gives {at} frames, expected more than {wanted}: it ends too '
                    'early, or OpenCV cannot decode its codec'
                )
            at += 1
        self._open[camera] = (file, capture, at)
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
