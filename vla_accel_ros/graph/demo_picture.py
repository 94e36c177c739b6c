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


"""Pictures of an episode, made when it is over: a video and a contact sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

FPS = 20
MAIN = (480, 360)
SIDE = 180
BAR = 40
# Legible on a sheet of four that is scaled to a page.
LABEL, CAPTION = 26, 28
SHEET = (4, 2)
NS = 1_000_000_000


def compose(views: dict[str, np.ndarray], caption: str) -> np.ndarray:
    """Put the scene, what the policy sees beside it, and a caption into one picture.

    Args:
        views: uint8 [h, w, 3] by name: 'scene', 'agent', 'wrist'; missing ones stay black.
        caption: One line.

    Returns:
        uint8 [400, 660, 3].
    """
    from PIL import Image, ImageDraw, ImageFont

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
            draw.text(
                (corner[0] + 6, corner[1] + 2),
                name,
                fill='white',
                stroke_width=2,
                stroke_fill='black',
                font=ImageFont.load_default(LABEL),
            )
    draw.text((8, MAIN[1] + 3), caption, fill='white', font=_fitting(draw, caption))
    return np.asarray(canvas)


def _fitting(draw, caption: str):
    """Return a font in which the caption is as wide as the picture at most."""
    from PIL import ImageFont

    width = draw.textlength(caption, font=ImageFont.load_default(CAPTION))
    room = MAIN[0] + SIDE - 16
    return ImageFont.load_default(CAPTION * min(1.0, room / width) if width else CAPTION)


def render(
    states: Sequence[tuple[int, np.ndarray]],
    frames: Sequence[tuple[int, str, np.ndarray]],
    title: str,
    fps: int = FPS,
) -> list[np.ndarray]:
    """Render an episode from the states of the simulation, beside what its cameras sent.

    Args:
        states: (stamp in ns, physics), in order.
        frames: (capture stamp in ns, view, uint8 [h, w, 3]), in order.
        title: Stands below each picture, with the time.
        fps: Pictures a second, evenly spaced: as many as the episode has seconds for.

    Returns:
        uint8 [400, 660, 3] each; none without states.
    """
    if not states:
        return []
    from vla_accel_ros.sim.env import TabletopEnv

    env = TabletopEnv(cameras=())
    idle = env.save_state()
    pictures, views, seen = [], {}, 0
    for at, physics in sample(states, fps):
        env.restore_state(replace(idle, physics=physics))
        while seen < len(frames) and frames[seen][0] <= at:
            views[frames[seen][1]] = frames[seen][2]
            seen += 1
        scene = env.render_camera('scene', (MAIN[1], MAIN[0]))
        pictures.append(
            compose({**views, 'scene': scene}, f'{title}   {(at - states[0][0]) / NS:5.1f} s')
        )
    env.close()
    return pictures


def sample(states: Sequence[tuple[int, np.ndarray]], fps: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the newest state at each tick of an even clock.

    Args:
        states: (stamp in ns, anything), in order, at least one.
        fps: Ticks a second.
    """
    index, (begin, _), (end, _) = 0, states[0], states[-1]
    for at in range(begin, end + 1, NS // fps):
        while index + 1 < len(states) and states[index + 1][0] <= at:
            index += 1
        yield at, states[index][1]


def write_video(path: Path, pictures: Sequence[np.ndarray], fps: int = FPS) -> None:
    """Write an H.264 video.

    Args:
        path: The .mp4 file.
        pictures: uint8 [h, w, 3], even h and w.
        fps: Pictures a second.
    """
    from imageio_ffmpeg import write_frames

    height, width = pictures[0].shape[:2]
    writer = write_frames(
        str(path),
        (width, height),
        fps=fps,
        macro_block_size=2,
        quality=8,
        ffmpeg_log_level='error',
    )
    writer.send(None)
    for picture in pictures:
        writer.send(np.ascontiguousarray(picture))
    writer.close()


def write_sheet(path: Path, pictures: Sequence[np.ndarray]) -> None:
    """Write a contact sheet: 2 rows of 4 pictures, evenly spaced over the episode.

    Args:
        path: The .png file.
        pictures: uint8 [h, w, 3].
    """
    from PIL import Image

    columns, rows = SHEET
    chosen = np.linspace(0, len(pictures) - 1, columns * rows).round().astype(int)
    lines = [
        np.hstack([pictures[i] for i in chosen[row * columns : (row + 1) * columns]])
        for row in range(rows)
    ]
    Image.fromarray(np.vstack(lines)).save(path)
