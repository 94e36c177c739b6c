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

"""What denoising a chunk of actions takes."""

from __future__ import annotations

from itertools import pairwise

from vla_accel_ros.models.cost.decoder import final_norm, layers
from vla_accel_ros.models.cost.head_cost import HeadCost
from vla_accel_ros.models.cost.operations import Cost, linear
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.rows import Slices, prompt_rows
from vla_accel_ros.pruning.interface import Rows


class FlowCost(HeadCost):
    """See `HeadCost`. What is made of the times once is not counted: it is kept."""

    keys_only = True

    def kinds(self, work: Workload) -> Slices:
        """Say which rows are which; see `HeadCost.kinds`."""
        text = work.text
        return prompt_rows(text, words=slice(text - (work.words or text), None))

    def read(self, work: Workload) -> int:
        """Give no row: the head reads keys and values."""
        return 0

    def prefill(self, work: Workload) -> Cost:
        """Count nothing: there is no final norm."""
        return Cost()

    def scored(self, kind: Rows, length: int, work: Workload) -> list[tuple[int, int]]:
        """Say which rows are scored: each of them sees all."""
        from vla_accel_ros.engines.programs.scores import BLOCK

        begin, end, _ = self.kinds(work)[kind].indices(length)
        edges = pairwise([*range(begin, end, BLOCK), end])
        return [(stop - start, length) for start, stop in edges]

    def scored_later(self, length: int, work: Workload) -> tuple[int, int]:
        """Give the action rows of all steps, and the keys that they meet."""
        head = self.config.head
        return (head.chunk * self._steps(work), length + head.leading + head.chunk)

    def decode(self, work: Workload, lengths: tuple[int, ...]) -> Cost:
        """Count the rows before the actions once, and the action rows at each step."""
        head = self.config.head
        chunk, leading = head.chunk, head.leading
        cost = self.step(chunk, [n + leading + chunk for n in lengths]) * self._steps(work)
        if leading:
            cost += self.leading([n + leading for n in lengths])
        return cost

    def _steps(self, work: Workload) -> int:
        return work.steps or self.config.head.steps

    def step(self, rows: int, keys: list[int]) -> Cost:
        """Count one evaluation of the network.

        Args:
            rows: Action rows.
            keys: Of each layer, the keys that they see.
        """
        head = self.config.head
        expert = head.expert
        width = expert.width
        around = linear(rows, head.numbers, width) + linear(rows, width, head.numbers)
        if not head.adaptive:
            around += linear(rows, width, width) * 2
        norms = Cost() if head.adaptive else final_norm(expert)
        return layers(expert, [rows] * len(keys), keys) + around + norms

    def leading(self, keys: list[int]) -> Cost:
        """Count the rows in front of the actions."""
        head = self.config.head
        run = layers(head.expert, [head.leading] * len(keys), keys)
        return run + linear(1, head.state, head.expert.width)
