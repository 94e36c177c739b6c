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

"""What robosuite says of its Panda, in the numbers that checkpoints were trained on."""

from __future__ import annotations

import math

import numpy as np


def proprio(observation: dict) -> np.ndarray:
    """Return the proprioception of LIBERO's checkpoints.

    Args:
        observation: robosuite's.

    Returns:
        float64 [8]: the tool's x, y, z in m, its rotation vector in rad, both fingers in m.
    """
    return np.concatenate(
        [
            observation['robot0_eef_pos'],
            rotation_vector(observation['robot0_eef_quat']),
            observation['robot0_gripper_qpos'],
        ]
    )


def rotation_vector(quaternion: np.ndarray) -> np.ndarray:
    """Return the rotation vector [3] of a quaternion (x, y, z, w), as robosuite does.

    The angle is in 0..2 pi and not brought to 0..pi: the checkpoints' statistics are of these.
    """
    w = min(max(float(quaternion[3]), -1.0), 1.0)
    sine = math.sqrt(1.0 - w * w)
    if math.isclose(sine, 0.0):
        return np.zeros(3)
    return np.asarray(quaternion[:3], dtype=np.float64) * (2.0 * math.acos(w) / sine)
