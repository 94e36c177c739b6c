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

from vla_accel_ros.models.cost.head_cost import HeadCost
from vla_accel_ros.models.cost.operations import Cost, attention, linear
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.rows import Slices
from vla_accel_ros.pruning.interface import Rows


class DiffusionCost(HeadCost):
    """See `HeadCost`."""

    def kinds(self, work: Workload) -> Slices:
        """Say which rows are which; see `HeadCost.kinds`."""
        rows = super().kinds(work)
        return {**rows, Rows.ACTION: rows[Rows.LAST]}

    def read(self, work: Workload) -> int:
        """Give the last row, whose feature is all that is read."""
        return 1

    def decode(self, work: Workload, lengths: tuple[int, ...]) -> Cost:
        """Count the condition, and the steps.

        The times' embeddings depend on nothing that is observed and are made once.
        """
        head, width = self.config.head, self.config.decoder.width
        samples = 2 if head.guided else 1
        return linear(samples, width, head.dit.width) + self._step(samples) * work.steps

    def _step(self, samples: int) -> Cost:
        head, dims = self.config.head, self.config.action_dims
        dit, rows = head.dit, samples * (head.chunk + 1)
        block = (
            linear(rows, dit.width, 3 * dit.width)
            + attention(rows, head.chunk + 1, dit.width)
            + linear(rows, dit.width, dit.width)
            + linear(rows, dit.width, dit.mlp)
            + linear(rows, dit.mlp, dit.width)
        )
        chunk = samples * head.chunk
        return (
            block * dit.depth
            + linear(chunk, dims, dit.width)
            + linear(chunk, dit.width, dims)
            + Cost(0, (head.chunk + 1) * dit.width)
        )

    def scored(self, kind: Rows, length: int, work: Workload) -> list[tuple[int, int]]:
        """Say which rows are scored; the last one is the action's; see `HeadCost.scored`."""
        return super().scored(Rows.LAST if kind is Rows.ACTION else kind, length, work)

    def scored_later(self, length: int, work: Workload) -> tuple[int, int]:
        """Give the last row, whose feature the actions are made from."""
        return (1, length)
