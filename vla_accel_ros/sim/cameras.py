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


"""Render the scene's cameras, and project points of the world onto their pixels."""

from __future__ import annotations

from collections.abc import Sequence
import math
import os
import threading

import numpy as np

from vla_accel_ros.sim.gl import import_mujoco, make_renderer

NAMES = ('agent', 'wrist', 'scene')
# Those that the hand carries.
MOVING = ('wrist',)
MAX_SIZE = (960, 1280)

_first_rendered_in: int | None = None


class Cameras:
    """The cameras of one model.

    An OpenGL context belongs to the thread that made it. So each thread that renders gets
    renderers of its own, made at its first frame of a size; a process that never renders needs
    no OpenGL. Physics and rendering of one `data` must not overlap in time: that is the
    caller's care. Child processes that render are to be spawned, or forked before the parent's
    first frame: Mesa's threads do not survive a fork, and the first frame would wait for ever.

    Args:
        model: mujoco.MjModel that holds the cameras.
        names: Of the cameras.
        coarse: Draw the model with rough edges and few facets from now on, at a fifth of the cost.
    """

    def __init__(self, model, names: Sequence[str] = NAMES, coarse: bool = False) -> None:
        self._model, self._names = model, names
        if coarse:
            quality = model.vis.quality
            quality.offsamples, quality.numslices, quality.numstacks = 0, 8, 6
        self._local = threading.local()

    def render(self, data, name: str, size: int | tuple[int, int]) -> np.ndarray:
        """Render one camera.

        Args:
            data: mujoco.MjData to be seen.
            name: Of the camera.
            size: Pixels of a side, or (height, width).

        Returns:
            uint8 [height, width, 3] RGB.

        Raises:
            ValueError: When the camera is unknown or the size out of range.
            RuntimeError: When no OpenGL works here; the message names the packages.
        """
        check_camera(name, self._names)
        renderer = self._renderer(check_size(size))
        # Shadows cost several times the rest in software: only the view for people has them.
        shadow = import_mujoco().mjtRndFlag.mjRND_SHADOW
        renderer.scene.flags[shadow] = name == 'scene'
        renderer.update_scene(data, camera=name)
        return renderer.render()

    def _renderer(self, size: tuple[int, int]):
        if self._local.__dict__.get('process') != os.getpid():
            _refuse_after_fork()
            self._local.__dict__.update(process=os.getpid(), renderers={})
        renderers = self._local.renderers
        if size not in renderers:
            renderer = make_renderer(self._model, *size)
            renderer.scene.flags[import_mujoco().mjtRndFlag.mjRND_REFLECTION] = False
            renderers[size] = renderer
        return renderers[size]

    def project(self, data, points, name: str, size: int | tuple[int, int]) -> np.ndarray:
        """Project points of the world onto a camera's image (pinhole).

        Args:
            data: mujoco.MjData whose camera pose counts.
            points: [..., 3] in the world frame, m.
            name: Of the camera.
            size: Pixels of a side, or (height, width).

        Returns:
            float64 [..., 3]: column and row in pixels (the centre of the top-left pixel is
            (0.5, 0.5)), and depth along the optical axis in m, not positive behind the camera.

        Raises:
            ValueError: When the camera, the size or the points' shape is not as said.
        """
        check_camera(name, self._names)
        height, width = check_size(size)
        points = np.asarray(points, dtype=np.float64)
        if points.ndim == 0 or points.shape[-1] != 3:
            raise ValueError(f'points have shape {list(points.shape)}, expected [..., 3]')
        shares, depth = project(self._model, data, name, points, width / height)
        return np.concatenate([shares * [width, height], depth[..., None]], axis=-1)

    def close(self) -> None:
        """Free this thread's renderers; those of other threads go with their threads."""
        if self._local.__dict__.pop('process', None) == os.getpid():
            for renderer in self._local.__dict__.pop('renderers').values():
                renderer.close()


def project(
    model, data, camera: str, points: np.ndarray, aspect: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Project points of the world onto a camera's image (pinhole).

    Args:
        model: mujoco.MjModel.
        data: mujoco.MjData whose camera pose counts.
        camera: Its name in the model.
        points: [..., 3], m.
        aspect: Width of the image over its height.

    Returns:
        Column and row as shares of width and height, from the upper left corner, [..., 2]; and
        the depth along the optical axis [...] in m, not positive behind the camera.
    """
    index = model.camera(camera).id
    local = (points - data.cam_xpos[index]) @ data.cam_xmat[index].reshape(3, 3)
    depth = -local[..., 2]
    focal = 0.5 / math.tan(0.5 * math.radians(model.cam_fovy[index]))
    safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)[..., None]
    return 0.5 + focal * local[..., :2] * [1.0 / aspect, -1.0] / safe, depth


def _refuse_after_fork() -> None:
    global _first_rendered_in
    _first_rendered_in = _first_rendered_in or os.getpid()
    if _first_rendered_in != os.getpid():
        raise RuntimeError(
            f'process {os.getpid()} was forked from process {_first_rendered_in} after that had '
            'rendered, and OpenGL does not survive a fork: spawn processes that render'
        )


def check_camera(name: str, names: Sequence[str] = NAMES) -> str:
    """Return the camera's name, or raise a ValueError that lists the ones there are."""
    if name not in names:
        raise ValueError(f'camera {name!r} is unknown, expected one of {", ".join(names)}')
    return name


def check_size(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) in pixels, or raise a ValueError that names the range."""
    pair = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    whole = len(pair) == 2 and all(isinstance(n, (int, np.integer)) for n in pair)
    if not whole or not all(8 <= n <= most for n, most in zip(pair, MAX_SIZE, strict=True)):
        raise ValueError(
            f'image size {size!r} is out of range, expected whole pixels of a side or '
            f'(height, width), from 8 to {MAX_SIZE[0]} x {MAX_SIZE[1]}'
        )
    return int(pair[0]), int(pair[1])
