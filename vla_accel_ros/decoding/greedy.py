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

"""Greedy decoding: one token after the other, as a user would otherwise run it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vla_accel_ros.decoding.interface import Decoded, Passes, TokenDecoder


class Greedy(TokenDecoder):
    """One pass a token; a draft is not looked at. Nothing leaves the device on the way."""

    name = 'greedy'

    def decode(
        self,
        logits: Tensor,
        draft_in_prefill: Sequence[int],
        draft: Sequence[int] | None,
        count: int,
        passes: Passes,
    ) -> Decoded:
        """Decode the answer; see `TokenDecoder.decode`."""
        peak, token = logits[-1:].max(-1)
        if count == 1:
            return Decoded(token, peak, count, 0)
        tokens, peaks = passes.greedy(token, 0, count - 1)
        return Decoded(torch.cat([token, tokens]), torch.cat([peak, peaks]), count, 0)
