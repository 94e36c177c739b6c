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

"""The embedded time of flow policies: sines and cosines of periods in geometric steps."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def embed_times(times: Tensor, width: int, shortest: float, longest: float) -> Tensor:
    """Embed times.

    In float64: the shortest period makes of an error of 1e-7 in time one of 1e-4.

    Args:
        times: [n], 1 for noise, 0 for the action.
        width: Even.
        shortest: Shortest period.
        longest: Longest one.

    Returns:
        float64 [n, width], all sines, then all cosines.
    """
    steps = torch.linspace(0, 1, width // 2, dtype=torch.float64, device=times.device)
    periods = shortest * (longest / shortest) ** steps
    angles = 2 * math.pi * times.to(torch.float64)[:, None] / periods
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
