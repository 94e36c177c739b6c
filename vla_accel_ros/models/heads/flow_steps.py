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

"""Which steps a flow takes: how many, from where, and when the rest of them is one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
import torch.nn.functional as F


@dataclass(frozen=True, eq=False)
class Plan:
    """The steps of one answer.

    Attributes:
        begin: float32 [1, chunk, numbers] at the first time.
        times: Of the steps, falling.
        step: What is added to the time at each, below 0.
        conditions: [steps, ...], what the network makes of the times.
        bend: Largest bend of the path, 1 - the cosine between the velocities of two steps, at
            which what is left is taken in one step; 0 for never.
    """

    begin: Tensor
    times: tuple[float, ...]
    step: float
    conditions: Tensor
    bend: float = 0.0

    def straight(self, before: Tensor | None, velocity: Tensor) -> bool:
        """Say whether the rest may be taken in one step, by the last two velocities.

        The rule is training-free. ProbeFlow (arXiv 2603.17850) compares the first velocity with
        one further ahead and chooses the number of steps by their cosine; here each velocity is
        compared with the one before it, so that no evaluation is made for the comparison alone.
        """
        if self.bend <= 0 or before is None:
            return False
        cosine = F.cosine_similarity(before.flatten(), velocity.flatten(), dim=0)
        return bool(1 - cosine <= self.bend)


def noise_of(seed: int, number: int, shape: tuple[int, ...]) -> Tensor:
    """Give the noise of an answer: the same for the same seed and number, on any device.

    Args:
        seed: Of the policy.
        number: Of the answer, counted from the beginning of the episode.
        shape: Of the noise.

    Returns:
        float32, on the CPU.
    """
    generator = torch.Generator('cpu').manual_seed(seed * 1_000_003 + number)
    return torch.randn(shape, generator=generator, device='cpu')
