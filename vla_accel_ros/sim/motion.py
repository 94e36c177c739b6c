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

"""How scripted experts move: steps that slow down on the way, and switches that are gradual."""

from __future__ import annotations

import math

import numpy as np


def toward(offset: np.ndarray, speed: float, gain: float) -> np.ndarray:
    """Return a step toward a point, or toward a rotation vector.

    Args:
        offset: What is left of the way, [3] in m or rad.
        speed: The longest step.
        gain: Share of the way that is taken near its end.
    """
    distance = float(np.linalg.norm(offset))
    if distance < 1e-9:
        return np.zeros(3)
    return offset * (speed * math.tanh(gain * distance / speed) / distance)


def ramp(value: float) -> float:
    """Return the value, at least 0 and at most 1."""
    return min(max(value, 0.0), 1.0)
