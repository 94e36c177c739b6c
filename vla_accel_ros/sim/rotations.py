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


"""Small rotation helpers on 3x3 matrices, rotation vectors in radians."""

from __future__ import annotations

import math

import numpy as np

# The hand pointing straight down with its x axis to the front of the arm.
DOWN = np.diag([1.0, -1.0, -1.0])


def to_matrix(vector) -> np.ndarray:
    """Return the matrix [3, 3] of a rotation vector [3] (Rodrigues' formula).

    Raises:
        ValueError: When the vector is not finite, or its length is not.
    """
    x, y, z = (float(value) for value in vector)
    angle = math.sqrt(x * x + y * y + z * z)
    if angle == math.inf:
        # Of large numbers the squares are, the length is not.
        angle = math.hypot(x, y, z)
    if not math.isfinite(angle):
        raise ValueError(f'rotation vector is [{x}, {y}, {z}], expected finite numbers')
    if angle < 1e-12:
        return np.array([[1.0, -z, y], [z, 1.0, -x], [-y, x, 1.0]])
    x, y, z = x / angle, y / angle, z / angle
    c, s = math.cos(angle), math.sin(angle)
    k = 1.0 - c
    return np.array(
        [
            [c + x * x * k, x * y * k - z * s, x * z * k + y * s],
            [y * x * k + z * s, c + y * y * k, y * z * k - x * s],
            [z * x * k - y * s, z * y * k + x * s, c + z * z * k],
        ]
    )


def to_vector(matrix: np.ndarray) -> np.ndarray:
    """Return the rotation vector [3] of a matrix [3, 3], its angle in [0, pi]."""
    skew = 0.5 * np.array(
        [matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]]
    )
    sine = math.sqrt(float(skew @ skew))
    cosine = 0.5 * (float(np.trace(matrix)) - 1.0)
    angle = math.atan2(sine, cosine)
    if sine > 1e-6:
        return skew * (angle / sine)
    if cosine > 0.0:
        return skew
    # Half a turn: the skew part vanishes, the axis is a column of (R + I) / 2.
    symmetric = 0.5 * (matrix + np.eye(3))
    column = int(np.argmax(np.diag(symmetric)))
    axis = symmetric[:, column] / math.sqrt(max(symmetric[column, column], 1e-12))
    return axis * angle


def yaw_matrix(yaw: float) -> np.ndarray:
    """Return the matrix [3, 3] of a turn by `yaw` about z."""
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def wrap(angle: float, period: float) -> float:
    """Return the angle's equivalent in [-period / 2, period / 2)."""
    return (angle + 0.5 * period) % period - 0.5 * period


def quaternion(rotation: np.ndarray) -> tuple[float, float, float, float]:
    """Return x, y, z, w of a rotation matrix [3, 3], by its largest component (Shepperd 1978)."""
    m = np.asarray(rotation, dtype=np.float64)
    trace = np.trace(m)
    squares = np.array([m[0, 0], m[1, 1], m[2, 2], trace])
    largest = int(np.argmax(squares))
    if largest == 3:
        parts = [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1 + trace]
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        parts = [0.0] * 4
        parts[i] = 1 + 2 * m[i, i] - trace
        parts[j], parts[k] = m[j, i] + m[i, j], m[k, i] + m[i, k]
        parts[3] = m[k, j] - m[j, k]
    parts = np.array(parts) / np.linalg.norm(parts)
    return tuple(float(v) for v in parts)


def of_quaternion(quaternion) -> np.ndarray:
    """Return the matrix [3, 3] of a unit quaternion x, y, z, w."""
    *axis, w = (float(value) for value in quaternion)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-12:
        return np.eye(3)
    return to_matrix(np.array(axis) / sine * (2 * math.atan2(sine, w)))


def to_rpy(quaternion_wxyz) -> tuple[float, float, float]:
    """Return roll, pitch and yaw (about fixed x, y, z, as URDF has them) of a quaternion, rad."""
    w, x, y, z = (float(value) for value in quaternion_wxyz)
    length = math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w / length, x / length, y / length, z / length
    return (
        math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
        math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x)))),
        math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
    )
