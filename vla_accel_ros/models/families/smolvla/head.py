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

"""SmolVLA's head: a chunk of actions, denoised over the prefix."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.programs.flow_scores import FlowScores
from vla_accel_ros.engines.programs.scores import ACTIONS, of_names
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.action_tokens import ActionStatistics
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.families.smolvla.denoising import Denoised, Denoiser
from vla_accel_ros.models.families.smolvla.rows import prefix_rows
from vla_accel_ros.models.heads.interface import ActionHead, Ask, HeadAnswer, HeadStats, NewCache
from vla_accel_ros.models.heads.reading import read_numbers
from vla_accel_ros.models.inference import Inference, Watch
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.proprio import ProprioError
from vla_accel_ros.models.pruned import Prefilled, encode, prefill
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.registry import create

# The same noise in each episode, so that an answer depends on what is asked alone.
SEED = 0


class SmolVLAHead(ActionHead):
    """See `ActionHead`."""

    def __init__(self, model: VLA, statistics: ActionStatistics) -> None:
        super().__init__(model, statistics)
        self.flow_steps = model.config.head.flow_steps
        self.reset()

    def reset(self) -> None:
        """Begin an episode."""
        self._generator = torch.Generator().manual_seed(SEED)

    def _noise(self) -> Tensor:
        own = self.model.config.head
        drawn = torch.randn(1, own.chunk, own.action_width, generator=self._generator)
        return drawn.to(self.model.device)

    def answer(
        self, ask: Ask, pruner: Pruner, new_cache: NewCache, watch: Watch = nullcontext
    ) -> HeadAnswer:
        """Denoise a chunk; see `ActionHead.answer`."""
        inference = Inference(self.model, pruner, ask.scene, self.engine, watch)
        needs = inference.choice.needs
        done, begin, projected, cache = self._prefix(inference, ask, new_cache)
        with watch('decode'):
            flow = Denoiser(self.model, cache, begin, self.engine, needs.decode)
            found = flow.run(self._noise(), self.flow_steps)
        with watch('selection'):
            self._tell(inference, done, found, cache)
            inference.choice.finish()
        with watch('detokenise'):
            actions = read_numbers(found.chunk[0])[:, : self.model.config.action_dims]
        work = Workload(ask.ids.shape[1], done.seen, projected, needs=needs)
        return HeadAnswer(actions, 0, HeadStats(1, done.kept_ids, work))

    def _prefix(
        self, inference: Inference, ask: Ask, new_cache: NewCache
    ) -> tuple[Prefilled, int, int, KVCache]:
        """Give the prefix, the position behind it, tokens projected, and its keys and values."""
        wanted = self.model.config.proprio
        got = 0 if ask.proprio is None else ask.proprio.shape[-1]
        if ask.proprio is None or got != wanted:
            raise ProprioError(f'got {got} numbers of state, the checkpoint wants {wanted}')
        visual, present, projected = encode(inference, ask.pixels, ask.ids)
        with inference.watch('prefill'):
            given = {'ids': ask.ids, 'visual': visual, 'state': ask.proprio}
            x = inference.run(self.model.sequence(), given)['x']
            cache, text = new_cache(x.shape[1]), ask.ids.shape[1]
            done = prefill(inference, x, present, cache, prefix_rows(text), read=0, causal=False)
        return done, self.model.config.visual_tokens + text + 1, projected, cache

    def _tell(
        self, inference: Inference, done: Prefilled, found: Denoised, cache: KVCache
    ) -> None:
        """Let the pruner know what the actions looked at, in all steps."""
        layers, layout = inference.choice.needs.decode, inference.choice.pruner.layout
        scores: Tensors = {}
        if layers:
            program = FlowScores(layers, layout.cameras, layout.tokens, layout.before, causal=True)
            given = {
                name: torch.cat([looks[name] for looks in found.looks]) for name in found.looks[0]
            }
            given |= {f'past.{layer}': cache.of_layer(layer - 1) for layer in layers}
            given |= {f'ids.{layer}': done.ids[layer - 1] for layer in layers}
            scores = inference.run(program, given)

        def told(got: Tensors) -> None:
            pruner = inference.choice.pruner
            pruner.after_decode({layer: of_names(layer, ACTIONS, got) for layer in layers})

        inference.choice.tell('the answer', scores, told)

    def first_numbers(self, ask: Ask, new_cache: NewCache) -> Tensor:
        """Give the velocity of the first action at the beginning, from a noise of nought."""
        pruner = create('none', layout_of(self.model.config))
        inference = Inference(self.model, pruner, ask.scene, self.engine)
        _, begin, _, cache = self._prefix(inference, ask, new_cache)
        own = self.model.config.head
        still = torch.zeros(1, own.chunk, own.action_width, device=self.model.device)
        time = self.model.embed_times(torch.ones(1))
        flow = Denoiser(self.model, cache, begin, self.engine)
        return flow.velocity(still, time)[0][0, 0].float().cpu()
