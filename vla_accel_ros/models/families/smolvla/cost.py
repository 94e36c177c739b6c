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

from vla_accel_ros.models.cost.operations import Cost, attention, linear
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.heads.flow_cost import FlowCost
from vla_accel_ros.models.rows import Slices, prompt_rows
from vla_accel_ros.pruning.interface import Rows

# The state's row.
STATE = 1


class InterleavedCost(FlowCost):
    """See `HeadCost`."""

    def rows(self, work: Workload) -> int:
        """Give the state's row."""
        return STATE

    def kinds(self, work: Workload) -> Slices:
        """Say which rows are which; see `HeadCost.kinds`."""
        text = work.text
        words = slice(text - (work.words or text), None)
        return {**prompt_rows(text, STATE, words), Rows.ACTION: slice(-STATE, None)}

    def prefill(self, work: Workload) -> Cost:
        """Count the projection of the state; see `HeadCost.prefill`."""
        return linear(STATE, self.config.head.state_width, self.config.decoder.width)

    def scored(self, kind: Rows, length: int, work: Workload) -> list[tuple[int, int]]:
        """Say which rows are scored: the state sees all, the others all but the state."""
        from vla_accel_ros.engines.programs.scores import blocks

        begin, end, _ = self.kinds(work)[kind].indices(length)
        cut = length - STATE
        return [
            (stop - start, cut if stop <= cut else length)
            for start, stop in blocks(begin, end, cut)
        ]

    def decode(self, work: Workload, lengths: tuple[int, ...]) -> Cost:
        """Count the prefix's projection once, and all steps; see `HeadCost.decode`."""
        own, decoder = self.config.head, self.config.decoder
        inner = decoder.kv_heads * decoder.head_width
        once = Cost()
        for layer in own.cross(decoder.layers):
            once += linear(lengths[layer], inner, inner, False) * 2
        return once + self.evaluation(lengths) * self._steps(work)

    def evaluation(self, lengths: tuple[int, ...]) -> Cost:
        """Count one evaluation of the expert.

        Args:
            lengths: Rows that each layer holds of the prefix.
        """
        own, decoder = self.config.head, self.config.decoder
        expert, rows = own.expert(decoder), own.chunk
        width, inner = expert.width, expert.kv_heads * expert.head_width
        # What is made of the times is made once: of the layer that mixes both, half is left.
        cost = (
            linear(rows, own.numbers, width)
            + linear(rows, width, width) * 2
            + linear(rows, width, own.numbers)
            + Cost(0, width)
        )
        cross = own.cross(decoder.layers)
        for layer, keys in enumerate(lengths):
            cost += linear(rows, width, expert.inner, False) + Cost(0, 2 * width)
            cost += linear(rows, expert.inner, width, False)
            if layer not in cross:
                cost += linear(rows, width, inner, False) * 2
                keys += rows
            cost += attention(rows, keys, expert.inner) + Cost(0, 0, 2 * inner * keys)
            cost += linear(rows, width, expert.mlp, False) * 2
            cost += linear(rows, expert.mlp, width, False)
        return cost
