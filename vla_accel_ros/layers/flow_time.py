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

"""The times of a flow: which they are, and how a network is told them.

Time 1 is noise and time 0 is the action (pi0, arXiv 2410.24164, turned as in openpi's code).
"""

from __future__ import annotations

from math import pi

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.layers.flow_names import ADDED, COUNTED, TIMES


def euler_times(steps: int, begin: float = 1.0, how: str = ADDED) -> tuple[list[float], float]:
    """Give the times at which Euler's method asks for velocities, on the way to 0.

    Args:
        steps: Steps, at least 1.
        begin: Where it begins, above 0 and at most 1.
        how: `added` adds the step to a float32 again and again, as openpi does; `counted`
            multiplies it by the number of steps done, as LeRobot does. They differ by up to 1e-7,
            which the embedding's shortest period makes 1e-4.

    Returns:
        The times, one a step, and the step, below 0.

    Raises:
        ValueError: When an argument is none of these.
    """
    if steps < 1 or not 0 < begin <= 1 or how not in TIMES:
        raise ValueError(
            f'{steps} steps from {begin}, {how}: expected at least 1, a time in (0, 1], and one '
            f'of {", ".join(TIMES)}'
        )
    step = np.float32(-begin / steps)
    if how == COUNTED:
        return [float(np.float32(begin + k * (-begin / steps))) for k in range(steps)], float(step)
    times, time = [], np.float32(begin)
    for _ in range(steps):
        times.append(float(time))
        time = np.float32(time + step)
    return times, float(step)


def embed_times(
    times: Tensor, width: int, shortest: float = 0.004, longest: float = 4.0
) -> Tensor:
    """Embed times by sines and cosines of periods between two, evenly spaced on a log scale.

    Args:
        times: [n].
        width: Channels, an even number.
        shortest: Shortest period.
        longest: Longest period.

    Returns:
        float64 [n, width], all sines first. In float32 the phase alone would be off by 1e-4.
    """
    share = torch.linspace(0.0, 1.0, width // 2, dtype=torch.float64, device=times.device)
    period = shortest * (longest / shortest) ** share
    angle = times.double()[:, None] * (1.0 / period * 2 * pi)
    return torch.cat([angle.sin(), angle.cos()], 1)
