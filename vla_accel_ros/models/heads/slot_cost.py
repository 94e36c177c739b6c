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

"""What a chunk of actions out of one pass takes."""

from __future__ import annotations

from vla_accel_ros.models.cost.decoder import final_norm
from vla_accel_ros.models.cost.head_cost import HeadCost
from vla_accel_ros.models.cost.operations import Cost, linear
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.rows import Slices, chunk_rows
from vla_accel_ros.pruning.interface import Rows


class SlotCost(HeadCost):
    """See `HeadCost`."""

    def rows(self, work: Workload) -> int:
        """Give the rows of proprioception, slots and the stop token."""
        return bool(self.config.proprio) + self.config.slots + 1

    def kinds(self, work: Workload) -> Slices:
        """Say which rows are which; see `HeadCost.kinds`."""
        return chunk_rows(work.text - 1, self.config.slots)

    def read(self, work: Workload) -> int:
        """Give the rows from the last prompt token on."""
        return self.config.slots + 2

    def prefill(self, work: Workload) -> Cost:
        """Count the projector of proprioception, and the final norm."""
        width, proprio = self.config.decoder.width, self.config.proprio
        cost = final_norm(self.config.decoder)
        if proprio:
            cost += linear(1, proprio, width) + linear(1, width, width)
        return cost

    def decode(self, work: Workload, lengths: tuple[int, ...]) -> Cost:
        """Count what reads the numbers from the slots' rows."""
        config, head = self.config, self.config.head
        if head.in_tokens:
            return linear(config.slots, config.decoder.width, config.decoder.vocab, False)
        inputs = config.action_dims * config.decoder.width
        hidden = head.head_width or config.decoder.width
        norms = Cost(0, 2 * (inputs + hidden * (1 + head.head_blocks)))
        return (
            linear(head.chunk, inputs, hidden)
            + linear(head.chunk, hidden, hidden) * head.head_blocks
            + linear(head.chunk, hidden, config.action_dims)
            + norms
        )

    def scored(self, kind: Rows, length: int, work: Workload) -> list[tuple[int, int]]:
        """Give one block: every row sees every other one."""
        slots = self.config.slots
        rows = {Rows.TEXT: work.text - 1, Rows.LAST: 1, Rows.ACTION: slots}
        return [(rows.get(kind, length - slots - 1), length)]
