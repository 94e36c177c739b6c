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

"""All passes that a decoder may ask for, for engines that make each ready when it first runs."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from vla_accel_ros.decoding.greedy import Greedy
from vla_accel_ros.decoding.interface import Decoded, Passes, TokenDecoder


class EveryPass(TokenDecoder):
    """Run every pass that a decoder may ask for; what it gives is no answer.

    Args:
        decoder: The decoder.
    """

    name = 'every_pass'

    def __init__(self, decoder: TokenDecoder) -> None:
        self._decoder = decoder

    def draft_in_prefill(self, draft: Sequence[int] | None, count: int, blank: int) -> list[int]:
        """Give the draft as the decoder does; see `TokenDecoder.draft_in_prefill`."""
        return self._decoder.draft_in_prefill(draft, count, blank)

    def decode(
        self,
        logits: Tensor,
        draft_in_prefill: Sequence[int],
        draft: Sequence[int] | None,
        count: int,
        passes: Passes,
    ) -> Decoded:
        """Run the passes, the longest first; see `TokenDecoder.decode`."""
        if isinstance(self._decoder, Greedy):
            return self._decoder.decode(logits, draft_in_prefill, draft, count, passes)
        passes.rollback(len(draft_in_prefill))
        peaks, tokens = logits[-1:].expand(count, -1).max(-1)
        for length in range(count - 1, 0, -1):
            passes.extend(tokens[:length], 0)
            if length > 1:
                passes.rollback(length)
        # As many rows as an answer has: what learns from it looks at all of them.
        for place in range(1, count - 1):
            passes.extend(tokens[:1], place)
        return Decoded(tokens, peaks, 2 * count, 0)
