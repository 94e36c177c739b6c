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

"""What decoding needs of a model, and what it gives.

An answer has a fixed number of tokens, counted from 0; no token ends it early. What predicts
token i is the row of logits of token i - 1, for token 0 that of the prompt's last token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


class Passes(Protocol):
    """The model after a prefill: further passes over its cache."""

    def extend(self, tokens: Tensor, start: int) -> Tensor:
        """Run tokens of the answer behind what the cache holds, each seeing those before it.

        Args:
            tokens: int64 [k], k >= 1, on the model's device; the answer's tokens `start` and on.
            start: Place of the first one in the answer.

        Returns:
            Logits [k, vocabulary]; row j predicts token `start` + j + 1.
        """

    def greedy(self, token: Tensor, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Run a token of the answer and, one pass each, those that the model says follow.

        Args:
            token: int64 [1], on the model's device; the answer's token `start`.
            start: Its place in the answer.
            count: Passes.

        Returns:
            int64 [count], the tokens from place `start` + 1 on, of which the last is not run, and
            the logit of each [count].
        """

    def rollback(self, count: int) -> None:
        """Forget the newest tokens of the cache."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """An answer and what it took.

    Attributes:
        tokens: int64 [count].
        peaks: [count], the logit of each, NaN or infinite where the model failed.
        passes: Passes of the language model, the prefill included.
        accepted: Tokens of the draft that the model confirmed; the whole count only if the
            draft was right throughout.
    """

    tokens: Tensor
    peaks: Tensor
    passes: int
    accepted: int


class TokenDecoder:
    """A way of decoding. Has no state: one object may serve any number of models.

    Attributes:
        name: As in `registry.DECODERS`.
    """

    name: str

    def draft_in_prefill(self, draft: Sequence[int] | None, count: int, blank: int) -> list[int]:
        """Give the tokens that ride behind the prompt in the prefill.

        Args:
            draft: The proposed answer, `count` tokens; None without one.
            count: Tokens of the answer.
            blank: A token to propose where nothing better is known.

        Returns:
            No tokens, or the answer's first `count` - 1 as proposed: the last one predicts
            nothing of the answer.
        """
        return []

    def decode(
        self,
        logits: Tensor,
        draft_in_prefill: Sequence[int],
        draft: Sequence[int] | None,
        count: int,
        passes: Passes,
    ) -> Decoded:
        """Decode the answer.

        Args:
            logits: [1 + drafted, vocabulary] of the prompt's last token and of each draft token
                in the prefill, which the cache holds.
            draft_in_prefill: As `draft_in_prefill` gave them.
            draft: The proposed answer, `count` tokens; None without one.
            count: Tokens of the answer.
            passes: The model.
        """
        raise NotImplementedError
