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

"""One inference of a model that denoises: from pixels to a chunk of normalised numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
import torch.nn.functional as F

from vla_accel_ros.engines import host
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine, Tensors
from vla_accel_ros.engines.programs.flow import FlowNetwork, Leading, Velocity
from vla_accel_ros.engines.programs.flow_scores import FlowScores
from vla_accel_ros.engines.programs.scores import ACTIONS, of_names
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.heads.flow_steps import Plan
from vla_accel_ros.models.heads.interface import Ask, NewCache
from vla_accel_ros.models.inference import Inference, Watch
from vla_accel_ros.models.pruned import Prefilled, encode, prefill
from vla_accel_ros.models.rows import prompt_rows
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Rows


@dataclass(frozen=True)
class FlowPrefix:
    """What denoising begins from.

    Attributes:
        cache: Keys and values of the prefix in every layer, and of the rows before the actions.
        position: int [1], the first position behind the prefix, the drops not counted.
        prompt: What the prefill left.
        projected: Visual tokens that went through the projector.
    """

    cache: KVCache
    position: Tensor
    prompt: Prefilled
    projected: int


@dataclass(frozen=True)
class FlowAnswer:
    """What an inference gives.

    Attributes:
        numbers: float32 [1, chunk, numbers], normalised.
        kept_ids: int64 [kept], visual tokens that the last layer has keys of, ascending.
        work: What was done, for the cost model.
    """

    numbers: Tensor
    kept_ids: Tensor
    work: Workload


def answer_flow(
    model: VLA,
    network: FlowNetwork,
    ask: Ask,
    pruner: Pruner,
    plan: Plan,
    new_cache: NewCache,
    watch: Watch = nullcontext,
    engine: Engine = EAGER,
) -> FlowAnswer:
    """Run towers, projector and prefix once, pruning on the way, and denoise over what is left.

    Args:
        model: The model.
        network: What denoises.
        ask: What is asked.
        pruner: How visual tokens are pruned.
        plan: Where denoising begins, and which steps it takes.
        new_cache: Gives an empty cache for a sequence of that length and an answer.
        watch: Called with a stage's name, gives the context that times it.
        engine: What runs the programs.
    """
    inference = Inference(model, pruner, ask.scene, engine, watch)
    prefix = run_prefix(inference, network, ask, new_cache)
    with watch('decode'):
        numbers, steps, scores = denoise(inference, network, prefix, plan)
    with watch('selection'):
        layers = inference.choice.needs.decode

        def told(got: Tensors) -> None:
            pruner.after_decode({layer: of_names(layer, ACTIONS, got) for layer in layers})

        inference.choice.tell('the answer', scores, told)
        (numbers,) = inference.choice.finish([numbers])
    prompt, needs = prefix.prompt, inference.choice.needs
    text = ask.ids.shape[1]
    words = len(range(text)[ask.words or slice(None)])
    work = Workload(text, prompt.seen, prefix.projected, needs=needs, words=words, steps=steps)
    return FlowAnswer(numbers, prompt.kept_ids, work)


def run_prefix(
    inference: Inference, network: FlowNetwork, ask: Ask, new_cache: NewCache
) -> FlowPrefix:
    """Fill the cache with the prefix, and with the rows before the actions."""
    model, layout = inference.model, inference.choice.pruner.layout
    visual, present, projected = encode(inference, ask.pixels, ask.ids)
    with inference.watch('prefill'):
        given = {'ids': ask.ids, 'visual': visual}
        if ask.proprio is not None:
            given['state'] = ask.proprio
        program, head = model.prompt(), model.config.head
        x = inference.run(program, {name: given[name] for name in program.inputs})['x']
        cache, text = new_cache(x.shape[1]), ask.ids.shape[1]
        rows = dict(prompt_rows(text - layout.before, head.apart, ask.words))
        if head.prompt_acts:
            rows[Rows.ACTION] = slice(-head.apart, None)
        prompt = prefill(inference, x, present, cache, rows, 0, causal=head.causal, keys_only=True)
    with inference.watch('decode'):
        position = torch.tensor([layout.total + text + head.apart], device='cpu')
        position = host.send(position, ask.ids.device)
        change = network.prepared(cache.held)
        if change is not None:
            memory = {'store': cache.store}
            changed = inference.run(change, memory, memory)['store']
            if changed is not cache.store:
                cache.store.copy_(changed)
        if network.before and ask.proprio is not None:
            state = F.pad(ask.proprio, (0, network.columns - ask.proprio.shape[-1]))
            given = {'state': state, 'position': position, **_memory(cache)}
            inference.run(Leading(network, cache.held), given, {'store': cache.store})
            cache.grow(network.before)
    return FlowPrefix(cache, position, prompt, projected)


def denoise(
    inference: Inference, network: FlowNetwork, prefix: FlowPrefix, plan: Plan
) -> tuple[Tensor, int, dict[str, Tensor]]:
    """Take Euler's steps.

    Returns:
        The numbers float32 [1, chunk, numbers], the evaluations that they took, and for the
        pruner, where it wants them, scores of the action rows, mean over the evaluations.
    """
    cache, layers = prefix.cache, inference.choice.needs.decode
    program = Velocity(network, layers, cache.held, plan.by_row)
    x, done = plan.begin, 0
    scores: list[dict[str, Tensor]] = []
    velocity: Tensor | None = None
    while done < len(plan.times):
        given = {'x': x, 'condition': plan.conditions[done], 'position': prefix.position}
        got = inference.run(program, given | _memory(cache), {'store': cache.store})
        before, velocity = velocity, got['velocity']
        if plan.guide is not None:
            velocity = plan.guide(x, velocity, plan.times[done])
        if layers:
            with inference.watch('selection'):
                scores.append(_scores(inference, prefix, layers, got, network.causal))
        done += 1
        if done < len(plan.times) and plan.straight(before, velocity):
            # All that is left in one step.
            return x - velocity * plan.times[done - 1], done, _mean(scores)
        x = x + velocity * plan.step
    return x, done, _mean(scores)


def _memory(cache: KVCache) -> dict[str, Tensor]:
    return {'store': cache.store, 'lengths': cache.lengths}


def _scores(
    inference: Inference, prefix: FlowPrefix, layers: Sequence[int], got: Tensors, causal: bool
) -> dict[str, Tensor]:
    layout = inference.choice.pruner.layout
    given = {name: part for name, part in got.items() if name != 'velocity'}
    for layer in layers:
        given[f'past.{layer}'] = prefix.cache.of_layer(layer - 1)
        given[f'ids.{layer}'] = prefix.prompt.ids[layer - 1]
    program = FlowScores(tuple(layers), layout.cameras, layout.tokens, layout.before, causal)
    return inference.run(program, given)


def _mean(scores: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    if not scores:
        return {}
    return {
        name: torch.stack([each[name] for each in scores]).mean(0)
        if part.is_floating_point()
        else part
        for name, part in scores[0].items()
    }
