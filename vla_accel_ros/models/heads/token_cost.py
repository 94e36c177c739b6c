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

"""What decoding an action token by token takes."""

from __future__ import annotations

from vla_accel_ros.models.cost.decoder import layers, logits
from vla_accel_ros.models.cost.head_cost import HeadCost
from vla_accel_ros.models.cost.operations import Cost
from vla_accel_ros.models.cost.workload import Workload


class TokenCost(HeadCost):
    """See `HeadCost`."""

    def rows(self, work: Workload) -> int:
        """Give the rows of the draft."""
        return work.draft_in_prefill

    def read(self, work: Workload) -> int:
        """Give the rows of the last prompt token and of the draft."""
        return 1 + work.draft_in_prefill

    def prefill(self, work: Workload) -> Cost:
        """Count the logits of the first token, and those that verify the draft."""
        return logits(self.config.decoder, 1 + work.draft_in_prefill)

    def decode(self, work: Workload, lengths: tuple[int, ...]) -> Cost:
        """Count the passes over the cache."""
        decoder, cost = self.config.decoder, Cost()
        for before, tokens in work.passes:
            keys = [n - work.draft_in_prefill + before + tokens for n in lengths]
            cost += layers(decoder, [tokens] * len(keys), keys)
            cost += logits(decoder, tokens)
        return cost

    def scored_later(self, length: int, work: Workload) -> tuple[int, int]:
        """Give the action's rows, and the keys before the last of them."""
        dims = self.config.action_dims
        return (dims, length - work.draft_in_prefill + dims - 1)
