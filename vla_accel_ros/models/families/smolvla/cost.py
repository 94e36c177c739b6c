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

"""What SmolVLA's state row and its denoising take."""

from __future__ import annotations

from vla_accel_ros.models.cost.head_cost import HeadCost
from vla_accel_ros.models.cost.operations import Cost, attention, linear
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.rows import Slices, prompt_rows
from vla_accel_ros.pruning.interface import Rows

# The state's row.
STATE = 1


class InterleavedCost(HeadCost):
    """See `HeadCost`."""

    def rows(self, work: Workload) -> int:
        """Give the state's row."""
        return STATE

    def kinds(self, work: Workload) -> Slices:
        """Say which rows are which; see `HeadCost.kinds`."""
        return {**prompt_rows(work.text, STATE), Rows.ACTION: slice(-STATE, None)}

    def read(self, work: Workload) -> int:
        """Of the last layer only keys and values are read."""
        return 0

    def prefill(self, work: Workload) -> Cost:
        """Count the projection of the state; see `HeadCost.prefill`."""
        own, decoder = self.config.head, self.config.decoder
        return linear(STATE, own.state_width, decoder.width)

    def decode(self, work: Workload, lengths: tuple[int, ...]) -> Cost:
        """Count the prefix's projection once, and all steps; see `HeadCost.decode`."""
        own, decoder = self.config.head, self.config.decoder
        inner = decoder.kv_heads * decoder.head_width
        once = Cost()
        for layer in own.cross(decoder.layers):
            once += linear(lengths[layer], inner, inner, False) * 2
        return once + self.step(lengths) * work.steps

    def step(self, lengths: tuple[int, ...]) -> Cost:
        """Count one step.

        Args:
            lengths: Rows that each layer holds of the prefix.
        """
        own, decoder = self.config.head, self.config.decoder
        expert, rows = own.expert(decoder), own.chunk
        width, inner = expert.width, expert.kv_heads * expert.head_width
        cross = own.cross(decoder.layers)
        cost = (
            linear(rows, own.numbers, width)
            + linear(rows, 2 * width, width)
            + linear(rows, width, width)
            + linear(rows, width, own.numbers)
            + Cost(0, width)
        )
        for layer, length in enumerate(lengths):
            keys = length
            cost += linear(rows, width, expert.inner, False) + Cost(0, 2 * width)
            cost += linear(rows, expert.inner, width, False)
            if layer not in cross:
                cost += linear(rows, width, inner, False) * 2
                keys += rows
            cost += attention(rows, keys, expert.inner) + Cost(0, 0, 2 * inner * keys)
            cost += linear(rows, width, expert.mlp, False) * 2
            cost += linear(rows, expert.mlp, width, False)
        return cost

    def scored(self, kind: Rows, length: int, work: Workload) -> list[tuple[int, int]]:
        """Say which rows scores are made from; see `HeadCost.scored`."""
        from vla_accel_ros.engines.programs.scores import blocks

        begin, end, _ = self.kinds(work)[kind].indices(length)
        cut = length - STATE
        return [
            (stop - start, cut if stop <= cut else length)
            for start, stop in blocks(begin, end, cut)
        ]

    def scored_later(self, length: int, work: Workload) -> tuple[int, int]:
        """Give the actions of all steps, and the keys that they meet."""
        own = self.config.head
        return own.chunk * work.steps, length + own.chunk
