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

"""Decoding several tokens a pass: a whole answer is proposed, the model says where it is wrong.

A pass over proposed tokens gives the model's own choice at every place, each one right if all
proposed tokens before it are. So the longest prefix on which both agree is settled, and with it
the model's choice behind it. What lies further back is proposed anew, and each pass settles one
token at least. The answer is that of greedy decoding (Leviathan et al., arXiv 2211.17192, at
temperature 0); what to propose next is what the ways differ in.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vla_accel_ros.decoding.interface import Decoded, Passes, TokenDecoder


def agreement(proposed: Sequence[int], chosen: Sequence[int], bins: int = 0) -> int:
    """Count the leading tokens in which two sequences differ by at most `bins`.

    Neighbouring ids are neighbouring bins, so ids that are no action are far from all that are.
    """
    for place, (a, b) in enumerate(zip(proposed, chosen, strict=False)):
        if abs(a - b) > bins:
            return place
    return min(len(proposed), len(chosen))


class Speculative(TokenDecoder):
    """The loop that all such decoders share.

    A subclass says what to propose (`draft_in_prefill`, `_again`) and how much agreement is
    enough.
    """

    # Bins by which proposals may be off when the model's choices are taken as they are.
    tolerance = 0

    def draft_in_prefill(self, draft: Sequence[int] | None, count: int, blank: int) -> list[int]:
        """Give the draft without its last token; see `TokenDecoder.draft_in_prefill`."""
        return [] if draft is None else list(draft[: count - 1])

    def decode(
        self,
        logits: Tensor,
        draft_in_prefill: Sequence[int],
        draft: Sequence[int] | None,
        count: int,
        passes: Passes,
    ) -> Decoded:
        """Decode the answer; see `TokenDecoder.decode`."""
        settled: list[int] = []
        tokens, peaks = [], []
        proposed, spent = list(draft_in_prefill), 1
        while True:
            # Rows predict the places from len(settled) on; the proposed were their inputs.
            peak, choice = logits.max(-1)
            chosen = choice.tolist()
            right = agreement(proposed, chosen)
            if agreement(proposed, chosen, self.tolerance) == len(proposed):
                right = len(proposed)
            settled += chosen[: right + 1]
            tokens.append(choice[: right + 1])
            peaks.append(peak[: right + 1])
            if len(settled) == count:
                return Decoded(
                    torch.cat(tokens), torch.cat(peaks), spent, self._accepted(draft, settled)
                )
            passes.rollback(len(proposed) - right)
            proposed = self._again(draft, chosen[right + 1 :], len(settled), count)
            # Sent without waiting for the device.
            fed = torch.tensor([settled[-1], *proposed], device='cpu')
            fed = fed.to(logits.device, non_blocking=True)
            logits = passes.extend(fed, len(settled) - 1)
            spent += 1

    def _again(
        self, draft: Sequence[int] | None, unsettled: list[int], start: int, count: int
    ) -> list[int]:
        """Propose the places from `start` to `count` - 2, after a pass.

        Args:
            draft: The first proposal.
            unsettled: The model's choices from `start` on, made behind a wrong token.
            start: The first place to propose.
            count: Tokens of the answer.
        """
        raise NotImplementedError

    def _accepted(self, draft: Sequence[int] | None, answer: list[int]) -> int:
        """Count the draft's tokens that the model confirmed."""
        return 0 if draft is None else agreement(draft, answer, self.tolerance)
