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

"""OpenVLA-OFT's head: a chunk of actions, read from the rows of one pass."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
from torch import Tensor

from vla_accel_ros.models.action_tokens import ActionStatistics, ActionTokens
from vla_accel_ros.models.heads.interface import ActionHead, Ask, HeadAnswer, HeadStats, NewCache
from vla_accel_ros.models.heads.reading import read_numbers, read_tokens
from vla_accel_ros.models.heads.slots import answer_chunk
from vla_accel_ros.models.inference import Watch
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner


class SlotHead(ActionHead):
    """See `ActionHead`."""

    def __init__(self, model: VLA, statistics: ActionStatistics) -> None:
        super().__init__(model, statistics)
        self._tokens = ActionTokens(model.config.tokenizer_vocab, model.config.bins)

    def answer(
        self, ask: Ask, pruner: Pruner, new_cache: NewCache, watch: Watch = nullcontext
    ) -> HeadAnswer:
        """Answer a chunk; see `ActionHead.answer`."""
        found = answer_chunk(
            self.model,
            ask.pixels,
            ask.ids,
            ask.proprio,
            ask.scene,
            pruner,
            new_cache,
            watch,
            self.engine,
        )
        with watch('detokenise'):
            actions, ids = self.read(found.numbers[0])
        return HeadAnswer(actions, 0, HeadStats(1, found.kept_ids, found.work), ids)

    def read(self, numbers: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Read what the model's own head gave of one sample, `OFTOutput.numbers`.

        Returns:
            As `reading.read_tokens`; no tokens where numbers were regressed.

        Raises:
            NotFiniteError: When a number is not finite.
        """
        if self.model.config.head.in_tokens:
            peaks, ids = numbers.max(-1)
            return read_tokens(self._tokens, ids, peaks, self.model.config.action_dims)
        return read_numbers(numbers), np.empty(0, np.int64)

    def first_numbers(self, ask: Ask, new_cache: NewCache) -> Tensor:
        """Give the normalised numbers of the first action, or the logits of its first token."""
        return self.model(ask.pixels, ask.ids, ask.proprio).numbers[0][0].float().cpu()
