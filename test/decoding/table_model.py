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

"""A language model without rounding: what follows a prefix is looked up in a hash."""

from dataclasses import dataclass, field
import hashlib

from margins import one_by_one
import torch

VOCAB = 64


@dataclass
class TableModel:
    """Passes over a cache that is the list of tokens itself, and must be in step with its caller.

    Attributes:
        seed: Which model.
        reach: Tokens of the past that matter; with 0 the numbers are independent.
        cache: Tokens of the answer that were run and not taken back.
        widths: Tokens of each pass after the prefill.
    """

    seed: int
    reach: int = 7
    forced: dict = field(default_factory=dict)
    cache: list = field(default_factory=list)
    widths: list = field(default_factory=list)

    def next(self, prefix):
        """Give the token that follows."""
        if len(prefix) in self.forced:
            return self.forced[len(prefix)]
        seen = tuple(prefix[len(prefix) - min(self.reach, len(prefix)) :])
        digest = hashlib.blake2b(repr((self.seed, len(prefix), seen)).encode(), digest_size=4)
        return int.from_bytes(digest.digest(), 'little') % VOCAB

    def row(self, prefix):
        """Give logits whose largest is that of the next token."""
        row = torch.zeros(VOCAB)
        row[self.next(prefix)] = 1 + len(prefix)
        return row

    def prefill(self, draft_in_prefill):
        """Give the logits of the prompt's last token and of the draft tokens."""
        self.cache, self.widths = list(draft_in_prefill), []
        return torch.stack(
            [self.row(draft_in_prefill[:n]) for n in range(len(draft_in_prefill) + 1)]
        )

    def extend(self, tokens, start):
        """Run tokens; see `Passes.extend`."""
        assert start == len(self.cache)
        before = len(self.cache)
        self.cache += tokens.tolist()
        self.widths.append(len(tokens))
        return torch.stack(
            [self.row(self.cache[:n]) for n in range(before + 1, len(self.cache) + 1)]
        )

    def greedy(self, token, start, count):
        """Run tokens one by one; see `Passes.greedy`."""
        return one_by_one(self.extend, token, start, count)

    def rollback(self, count):
        """Take back the newest tokens."""
        assert 0 <= count <= len(self.cache)
        del self.cache[len(self.cache) - count :]


def decode(decoder, model, draft=None, count=7, blank=0):
    """Run a decoder as the model core does."""
    draft_in_prefill = decoder.draft_in_prefill(draft, count, blank)
    return decoder.decode(model.prefill(draft_in_prefill), draft_in_prefill, draft, count, model)
