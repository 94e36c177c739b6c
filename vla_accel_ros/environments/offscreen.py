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

"""Pictures of a simulation of robosuite, without its own renderer.

robosuite reloads the model at each reset and leaves the old OpenGL context to the garbage
collector. When that comes, it frees buffers by number in whatever context is current: the new
one. Frames from then on are uninitialised memory, without an error (robosuite 1.5.2). So
robosuite is run without a renderer, and the one here goes before the model that it belongs to.
"""

from __future__ import annotations

import weakref

import numpy as np

from vla_accel_ros.environments.out_of_view import HIDDEN, hidden, out_of_view
from vla_accel_ros.sim.gl import import_mujoco, make_renderer


class Offscreen:
    """Renders the cameras of a model that may be another one tomorrow.

    Args:
        shadows: Whether to render shadows and reflections; in software they cost several times
            the rest.
    """

    def __init__(self, shadows: bool) -> None:
        self._shadows = shadows
        self._model = None
        self._renderers: dict[int, object] = {}
        weakref.finalize(self, _close, self._renderers)

    def render(self, model, data, camera: str, size: int) -> np.ndarray:
        """Render one camera, upright. What it cannot see is not drawn; the picture is the same.

        Args:
            model: mujoco.MjModel; renderers of another one are closed.
            data: mujoco.MjData to be seen.
            camera: Its name in the model.
            size: Pixels of a side.

        Returns:
            uint8 [size, size, 3] RGB.

        Raises:
            RuntimeError: When no OpenGL works here; the message names the packages.
        """
        if model is not self._model:
            self.close()
            self._model = model
        renderer = self._renderer(model, size)
        options = import_mujoco().MjvOption()
        options.geomgroup[HIDDEN] = 0
        renderer.update_scene(data, camera=camera, scene_option=options)
        with hidden(model, out_of_view(model, data, renderer.scene)):
            renderer.update_scene(data, camera=camera, scene_option=options)
        return renderer.render()

    def _renderer(self, model, size: int):
        if size not in self._renderers:
            mujoco = import_mujoco()
            renderer = make_renderer(model, size, size)
            for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
                renderer.scene.flags[flag] = self._shadows
            self._renderers[size] = renderer
        return self._renderers[size]

    def close(self) -> None:
        """Free the renderers."""
        _close(self._renderers)
        self._model = None


def _close(renderers: dict) -> None:
    for renderer in renderers.values():
        renderer.close()
    renderers.clear()
