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

"""What an OpenVLA's head is: tokens, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from vla_accel_ros.models.cost.workload import one_by_one
from vla_accel_ros.models.heads.config import HeadConfig


@dataclass(frozen=True)
class TokensConfig(HeadConfig):
    """One action, decoded token by token (OpenVLA, arXiv 2406.09246).

    How many bins there are, and which tokens, is said by the model's configuration.
    """

    family = 'openvla'
    in_tokens = True

    def rows(self, dims: int) -> int:
        """Give one row a number; see `HeadConfig.rows`."""
        return dims

    def passes(self, dims: int) -> tuple[tuple[int, int], ...]:
        """Give one pass a token, the first of which comes from the prefill."""
        return one_by_one(dims)
