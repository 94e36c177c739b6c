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

"""How decided an answer is: what rounding may change, and what it may not.

A pass over several tokens sums in another order than passes over one each, so logits differ in
their last digits. Where the two largest are that near, either is a right answer and what follows
it may differ; everywhere else tokens must be identical.
"""

import torch

from vla_accel_ros.decoding.greedy import Greedy

# Logits of the small float32 models here agree within a few 1e-6.
NEAR_TIE = 1e-4


def one_by_one(extend, token, start, count):
    """Decode greedily by passes of one token; see `Passes.greedy`."""
    tokens, peaks = [token], []
    for place in range(start, start + count):
        peak, token = extend(tokens[-1], place)[-1:].max(-1)
        tokens.append(token)
        peaks.append(peak)
    return torch.cat(tokens[1:]), torch.cat(peaks)


class Margins(Greedy):
    """Greedy decoding that notes how far ahead of all others each token was."""

    def decode(self, logits, draft_in_prefill, draft, count, passes):
        """Decode; see `TokenDecoder.decode`."""
        self._passes, self.margins = passes, []
        self._note(logits)
        return super().decode(logits, draft_in_prefill, draft, count, self)

    def extend(self, tokens, start):
        """Run the model's own pass; see `Passes.extend`."""
        return self._note(self._passes.extend(tokens, start))

    def greedy(self, token, start, count):
        """Run the model's passes one by one; see `Passes.greedy`."""
        return one_by_one(self.extend, token, start, count)

    def _note(self, logits):
        best, second = logits[-1].topk(2).values.tolist()
        self.margins.append(best - second)
        return logits


def same_up_to_near_ties(tokens, expected, margins):
    """Say whether two answers are identical up to the first near-tie, if there is one."""
    for token, other, margin in zip(tokens, expected, margins, strict=True):
        if token != other:
            return margin < NEAR_TIE
    return True
