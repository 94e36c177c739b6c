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

"""What a head takes, from the configuration alone."""

from __future__ import annotations

from itertools import pairwise

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.cost.decoder import final_norm
from vla_accel_ros.models.cost.operations import Cost
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.rows import Slices, prompt_rows
from vla_accel_ros.pruning.interface import Rows


class HeadCost:
    """Operations and traffic of a head that takes next to nothing beside the prompt's pass.

    Heads that do more say so in a class of their own.

    Args:
        config: Of the model.
    """

    def __init__(self, config: VLAConfig) -> None:
        self.config = config

    def rows(self, work: Workload) -> int:
        """Give the rows of the prefill that are neither visual tokens nor the prompt's."""
        return 0

    def kinds(self, work: Workload) -> Slices:
        """Say which rows of the prefill are which, counted from its end."""
        return prompt_rows(work.text - self.config.head.before, work.draft_in_prefill)

    def read(self, work: Workload) -> int | None:
        """Say how many of the prefill's last rows the head reads; None for all."""
        return None

    def prefill(self, work: Workload) -> Cost:
        """Count what comes to the decoder's layers in the prefill."""
        return final_norm(self.config.decoder)

    def decode(self, work: Workload, lengths: tuple[int, ...]) -> Cost:
        """Count what follows the prefill.

        Args:
            work: What is done.
            lengths: Tokens that each decoder layer saw in the prefill.
        """
        return Cost()

    def scored(self, kind: Rows, length: int, work: Workload) -> list[tuple[int, int]]:
        """Say which rows pruning scores are made from in the prefill.

        Args:
            kind: The rows that are asked for.
            length: Tokens that the layer saw.
            work: What is done.

        Returns:
            Of each block that is computed at once its rows, and the keys that they meet.
        """
        from vla_accel_ros.engines.programs.scores import BLOCK

        # Each row sees what is before it.
        end = length - self.rows(work)
        text = work.text - self.config.head.before
        begin = end - {Rows.ALL: end, Rows.TEXT: text, Rows.LAST: 1}[kind]
        edges = pairwise([*range(begin, end, BLOCK), end])
        return [(stop - start, stop) for start, stop in edges]

    def scored_later(self, length: int, work: Workload) -> tuple[int, int]:
        """Say which rows scores are made from while an action is decoded.

        Args:
            length: Tokens that the layer saw in the prefill.
            work: What is done.

        Returns:
            The rows, and the keys that they meet; none where nothing is decoded.
        """
        return (0, 0)
