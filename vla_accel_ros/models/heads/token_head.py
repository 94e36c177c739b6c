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

"""OpenVLA's head: the tokens of an action, one after the other or as a draft verified."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
from torch import Tensor

from vla_accel_ros.decoding.every_pass import EveryPass
from vla_accel_ros.decoding.interface import TokenDecoder
from vla_accel_ros.decoding.registry import create
from vla_accel_ros.models.action_tokens import ActionStatistics, ActionTokens
from vla_accel_ros.models.heads.drafts import GIVEN, Drafts
from vla_accel_ros.models.heads.interface import ActionHead, Ask, HeadAnswer, HeadStats, NewCache
from vla_accel_ros.models.heads.reading import read_tokens
from vla_accel_ros.models.heads.tokens import answer
from vla_accel_ros.models.inference import Watch
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner


class TokenHead(ActionHead):
    """See `ActionHead`."""

    def __init__(self, model: VLA, statistics: ActionStatistics) -> None:
        super().__init__(model, statistics)
        self._tokens = ActionTokens(model.config.tokenizer_vocab, model.config.bins)
        self._drafts = Drafts(self._tokens, statistics, model.config)
        self._decoding = create('greedy'), GIVEN

    def decode_by(self, decoder: TokenDecoder, source: str) -> None:
        """Choose the decoder from the next answer on."""
        self._decoding = decoder, source

    def assume_previous(self, token_ids: np.ndarray) -> None:
        """Let the draft `previous` be these tokens."""
        self._drafts.learn(token_ids)

    def reset(self) -> None:
        """Forget the previous answer."""
        self._drafts.forget()

    def answer(
        self, ask: Ask, pruner: Pruner, new_cache: NewCache, watch: Watch = nullcontext
    ) -> HeadAnswer:
        """Answer an action; see `ActionHead.answer`."""
        decoder, source = self._decoding
        with watch('preprocess'):
            draft = self._drafts.propose(source, ask.draft)
        found = answer(
            self.model,
            ask.pixels,
            ask.ids,
            ask.scene,
            pruner,
            decoder,
            draft,
            self._drafts.blank,
            new_cache,
            watch,
            self.engine,
        )
        with watch('detokenise'):
            actions, ids = self.read(found.decoded.tokens, found.decoded.peaks)
            self._drafts.learn(ids)
        stats = HeadStats(found.decoded.passes, found.kept_ids, found.work)
        return HeadAnswer(actions, found.decoded.accepted, stats, ids)

    def rehearse(self, ask: Ask, pruner: Pruner, new_cache: NewCache) -> None:
        """Run all passes of the decoder, with a draft and without; see `ActionHead.rehearse`."""
        blank, every = self._drafts.blank, EveryPass(self._decoding[0])
        for draft in ([blank] * self.model.config.action_dims, None):
            answer(
                self.model,
                ask.pixels,
                ask.ids,
                ask.scene,
                pruner,
                every,
                draft,
                blank,
                new_cache,
                engine=self.engine,
            )

    def read(self, ids: Tensor, peaks: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Read tokens; see `reading.read_tokens`."""
        return read_tokens(self._tokens, ids, peaks, self.model.config.action_dims)

    def first_numbers(self, ask: Ask, new_cache: NewCache) -> Tensor:
        """Give the logits of the first token."""
        model = self.model
        visual = model.encode_images(ask.pixels, model.language(ask.ids))
        x = model.embed_prompt(ask.ids, visual)
        return model.prefill(x, new_cache(x.shape[1]))[0].float().cpu()
