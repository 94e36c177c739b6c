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

"""Which things a camera cannot see, so that they need not be drawn.

MuJoCo draws every mesh, also what is behind the camera. Without a graphics card the corners of the
meshes take most of the time: a wrist camera does not see most of its own robot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from vla_accel_ros.sim.gl import import_mujoco

# Geoms in this group are never drawn by `Offscreen`: shapes for collisions.
HIDDEN = 0


def out_of_view(model, data, scene) -> np.ndarray:
    """Say which geoms change nothing in a picture: neither they nor their mirror images are in it.

    Args:
        model: mujoco.MjModel.
        data: mujoco.MjData to be seen.
        scene: mujoco.MjvScene, updated with the camera.

    Returns:
        bool [ngeom]. None where something throws shadows: they can be seen from where it cannot.
    """
    mujoco = import_mujoco()
    nothing = np.zeros(model.ngeom, bool)
    if scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] and model.light_castshadow.any():
        return nothing
    places, radii = data.geom_xpos, model.geom_rbound
    # A geom without an end, as a plane is, has no radius.
    outside = _outside(scene.camera, places, radii) & (radii > 0.0)
    if scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION]:
        for mirror in np.flatnonzero(_mirrors(model) & ~outside):
            outside &= _not_mirrored(model, data, scene.camera, mirror)
    return outside


def _eye(cameras) -> np.ndarray:
    """Return where the picture is taken, [3]: in the middle between two eyes."""
    left, right = cameras
    return 0.5 * (np.array(left.pos) + np.array(right.pos))


def _outside(cameras, places: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Say which balls, at places [n, 3] in m, are wholly outside the picture."""
    left = cameras[0]
    ahead, up = np.array(left.forward), np.array(left.up)
    offsets = places - _eye(cameras)
    depth = offsets @ ahead
    across, along = offsets @ np.cross(ahead, up), offsets @ up
    near = left.frustum_near
    half = left.frustum_width or 0.5 * (left.frustum_top - left.frustum_bottom)
    outside = depth + radii < near
    for offset, limit in (
        (across, half),
        (-across, half),
        (along, left.frustum_top),
        (-along, -left.frustum_bottom),
    ):
        outside |= (offset * near - depth * limit) / np.hypot(limit, near) > radii
    return outside


def _mirrors(model) -> np.ndarray:
    """Say which geoms that are drawn reflect others: planes and boxes of such a material."""
    mujoco = import_mujoco()
    flat = np.isin(model.geom_type, (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_BOX))
    material = model.geom_matid
    # The material -1 is none.
    shiny = np.append(model.mat_reflectance, 0.0)[material] > 0.0
    return (model.geom_group != HIDDEN) & flat & shiny


def _not_mirrored(model, data, cameras, mirror: int) -> np.ndarray:
    """Say which geoms, [n], are not seen in the upper side of a mirror."""
    normal = data.geom_xmat[mirror].reshape(3, 3)[:, 2]
    middle, radii = data.geom_xpos[mirror], model.geom_rbound
    is_box = model.geom_type[mirror] == import_mujoco().mjtGeom.mjGEOM_BOX
    side = middle + model.geom_size[mirror, 2] * normal if is_box else middle
    height = (data.geom_xpos - side) @ normal
    images = data.geom_xpos - 2.0 * height[:, None] * normal
    unseen = _outside(cameras, images, radii) | (height + radii < 0.0)
    eye = _eye(cameras)
    distance = float(np.linalg.norm(middle - eye))
    if is_box and distance > radii[mirror]:
        # Images are seen through the mirror only: within the cone that holds it.
        away = np.linalg.norm(images - eye, axis=1)
        along = ((images - eye) @ (middle - eye)) / np.maximum(away * distance, 1e-9)
        angle = np.arccos(np.clip(along, -1.0, 1.0))
        wide = np.arcsin(np.clip(radii / np.maximum(away, 1e-9), 0.0, 1.0))
        unseen |= (angle > wide + np.arcsin(radii[mirror] / distance)) & (away > radii)
    return unseen


@contextmanager
def hidden(model, geoms: np.ndarray) -> Iterator[None]:
    """Put geoms, bool [ngeom], into the group that is not drawn, for as long as this lasts."""
    groups = model.geom_group.copy()
    model.geom_group[geoms] = HIDDEN
    try:
        yield
    finally:
        model.geom_group[:] = groups
