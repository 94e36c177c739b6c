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


"""Pictures of an episode: a video and a contact sheet, from the frames that the graph sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

FPS = 10
MAIN = (480, 360)
SIDE = 180
BAR = 28
SHEET = (4, 2)
NS = 1_000_000_000
Frames = Sequence[tuple[int, str, np.ndarray]]


def compose(views: dict[str, np.ndarray], caption: str) -> np.ndarray:
    """Put the scene, what the policy sees beside it, and a caption into one picture.

    Args:
        views: uint8 [h, w, 3] by name: 'scene', 'agent', 'wrist'; missing ones stay black.
        caption: One line.

    Returns:
        uint8 [388, 660, 3].
    """
    from PIL import Image, ImageDraw

    canvas = Image.new('RGB', (MAIN[0] + SIDE, MAIN[1] + BAR))
    places = {
        'scene': ((0, 0), MAIN),
        'agent': ((MAIN[0], 0), (SIDE, SIDE)),
        'wrist': ((MAIN[0], SIDE), (SIDE, SIDE)),
    }
    draw = ImageDraw.Draw(canvas)
    for name, (corner, size) in places.items():
        if name in views:
            canvas.paste(Image.fromarray(views[name]).resize(size), corner)
            draw.text((corner[0] + 5, corner[1] + 3), name, fill='white', stroke_width=1,
                      stroke_fill='black')
    draw.text((8, MAIN[1] + 8), caption, fill='white')
    return np.asarray(canvas)


def timeline(frames: Frames, fps: int = FPS) -> list[tuple[float, dict[str, np.ndarray]]]:
    """Sample the newest frame of each view at an even rate.

    Args:
        frames: (capture stamp in ns, view, uint8 [h, w, 3]), in any order.
        fps: Samples a second.

    Returns:
        Seconds since the first frame, and the views then; empty without frames.
    """
    ordered = sorted(frames, key=lambda frame: frame[0])
    if not ordered:
        return []
    samples, views, index = [], {}, 0
    begin, end = ordered[0][0], ordered[-1][0]
    for number in range(int((end - begin) / NS * fps) + 1):
        at = begin + number * NS // fps
        while index < len(ordered) and ordered[index][0] <= at:
            views[ordered[index][1]] = ordered[index][2]
            index += 1
        samples.append((number / fps, dict(views)))
    return samples


def write_video(path: Path, frames: Frames, title: str) -> bool:
    """Write an H.264 video of an episode.

    Args:
        path: The .mp4 file.
        frames: As for `timeline`.
        title: Stands below each picture, with the time.

    Returns:
        Whether there was anything to show.
    """
    from imageio_ffmpeg import write_frames

    samples = timeline(frames)
    if not samples:
        return False
    pictures = [compose(views, f'{title}   {at:5.1f} s') for at, views in samples]
    height, width = pictures[0].shape[:2]
    writer = write_frames(
        str(path), (width, height), fps=FPS, macro_block_size=2, quality=8,
        ffmpeg_log_level='error')
    writer.send(None)
    for picture in pictures:
        writer.send(np.ascontiguousarray(picture))
    writer.close()
    return True


def write_sheet(path: Path, frames: Frames, title: str) -> bool:
    """Write a contact sheet: pictures evenly spaced over an episode.

    Args:
        path: The .png file.
        frames: As for `timeline`.
        title: Stands below each picture, with the time.

    Returns:
        Whether there was anything to show.
    """
    from PIL import Image

    samples = [sample for sample in timeline(frames) if 'scene' in sample[1]]
    if not samples:
        return False
    columns, rows = SHEET
    chosen = np.linspace(0, len(samples) - 1, columns * rows).round().astype(int)
    pictures = [compose(samples[i][1], f'{title}   {samples[i][0]:5.1f} s') for i in chosen]
    lines = [np.hstack(pictures[row * columns:(row + 1) * columns]) for row in range(rows)]
    Image.fromarray(np.vstack(lines)).save(path)
    return True
