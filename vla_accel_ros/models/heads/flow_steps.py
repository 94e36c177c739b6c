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

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
import torch.nn.functional as F

from vla_accel_ros.models.heads.real_time import Given


@dataclass(frozen=True, eq=False)
class Plan:
    """The steps of one answer.

    Attributes:
        begin: float32 [1, chunk, numbers] at the first time.
        times: Of the steps, falling.
        step: What is added to the time at each, below 0.
        conditions: [steps, ...], what the network makes of the times; where `by_row`, of each
            row's own, [steps, ..., chunk, channels].
        bend: Largest bend of the path, 1 - the cosine between the velocities of two steps, at
            which what is left is taken in one step; 0 for never.
        by_row: Whether rows have times of their own.
        guide: Corrects the velocity of x at a time, both [1, chunk, numbers]; None for none.
    """

    begin: Tensor
    times: tuple[float, ...]
    step: float
    conditions: Tensor
    bend: float = 0.0
    by_row: bool = False
    guide: Callable[[Tensor, Tensor, float], Tensor] | None = None

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

    def behind(self, old: Tensor, clean: Tensor) -> Plan:
        """Give the plan of a chunk whose first rows are known (arXiv 2512.05964).

        They stand in it without noise, at time 0, and are not changed.

        Args:
            old: [1, k, numbers], k less than the chunk.
            clean: What the network makes of time 0.
        """
        count, rows = old.shape[1], self.begin.shape[1]
        begin = torch.cat([old, self.begin[:, count:]], 1)
        noisy = self.conditions[..., None, :].expand(*self.conditions.shape[:-1], rows, -1)
        conditions = noisy.clone()
        conditions[..., :count, :] = clean[..., None, :]
        return replace(self, begin=begin, conditions=conditions, by_row=True, guide=Given(count))

    def from_old(self, old: Tensor, begin: float) -> Plan:
        """Give the plan that begins with an old chunk and part of the noise (ours).

        The old chunk stands for what is denoised, which it nearly is, and the steps that would
        lead there are not taken.

        Args:
            old: [1, k, numbers], what is left of it, this step's row first; its last row stands
                for those behind it.
            begin: Time at which denoising begins, in 0..1; at least the last step is taken.
        """
        first = next((k for k, time in enumerate(self.times) if time <= begin + 1e-6), None)
        first = len(self.times) - 1 if first is None else first
        time, missing = self.times[first], self.begin.shape[1] - old.shape[1]
        last = old.narrow(1, old.shape[1] - 1, 1)
        whole = torch.cat([old, last.expand(-1, missing, -1)], 1)
        mixed = time * self.begin + (1 - time) * whole
        return replace(
            self, begin=mixed, times=self.times[first:], conditions=self.conditions[first:]
        )


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
