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

"""The prompt's pass with visual tokens dropped, for heads that read what it leaves."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine, Tensors
from vla_accel_ros.engines.programs.scores import ACTIONS, of_names
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.action_rows import ActionRows
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.heads.interface import Ask, HeadStats, NewCache
from vla_accel_ros.models.inference import Inference, Watch
from vla_accel_ros.models.pruned import Prefilled, encode, prefill
from vla_accel_ros.models.rows import prompt_rows
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Rows


@dataclass(frozen=True, eq=False)
class Prefix:
    """What the prompt's pass leaves.

    Attributes:
        hidden: [1, r, width] of the last rows, at least those that were asked for, after the final
            norm. The last one is the prompt's last token.
        cache: Keys and values of every decoder layer.
        positions: For each layer, the absolute positions int [S_l] of the keys in the cache.
        stats: What it took.
    """

    hidden: Tensor
    cache: KVCache
    positions: tuple[Tensor, ...]
    stats: HeadStats


def run_prefix(
    model: VLA,
    ask: Ask,
    pruner: Pruner,
    new_cache: NewCache,
    watch: Watch = nullcontext,
    engine: Engine = EAGER,
    read: int | None = None,
    last_is_action: bool = False,
) -> Prefix:
    """Run towers, projector and decoder over the prompt.

    Args:
        model: The model.
        ask: What is asked.
        pruner: How visual tokens are pruned.
        new_cache: See `ActionHead.answer`.
        watch: See `ActionHead.answer`.
        engine: What runs the model's programs.
        read: Last rows that are wanted behind the last layer, which runs for no others; None for
            all that were not dropped.
        last_is_action: Whether actions are made from the last row, so that what it looks at is
            what they look at; a pruner that asks for that is told.
    """
    ids = ask.ids
    inference = Inference(model, pruner, ask.scene, engine, watch)
    visual, present, projected = encode(inference, ask.pixels, ids)
    with watch('prefill'):
        x = inference.run(model.prompt(), {'ids': ids, 'visual': visual})['x']
        cache = new_cache(x.shape[1])
        head = model.config.head
        rows = dict(prompt_rows(ids.shape[1] - head.before))
        if head.prompt_acts:
            rows[Rows.ACTION] = rows[Rows.LAST]
        done = prefill(inference, x, present, cache, rows, read)
    with watch('selection'):
        if last_is_action and inference.choice.needs.decode:
            _tell_of_last(inference, done, cache, ids.shape[1])
        inference.choice.finish()
    work = Workload(ids.shape[1], done.seen, projected, needs=inference.choice.needs)
    return Prefix(done.hidden, cache, done.positions, HeadStats(1, done.kept_ids, work))


def _tell_of_last(inference: Inference, done: Prefilled, cache: KVCache, text: int) -> None:
    """Let the pruner know what the last row looks at."""
    choice = inference.choice
    layers, layout = choice.needs.decode, choice.pruner.layout
    rows, place = ActionRows(layers), text + layout.total - 1
    rows.add(place, 1, done.queries)
    scores = inference.run(*rows.score(place, 1, cache, done.positions, done.ids, layout))

    def told(got: Tensors) -> None:
        choice.pruner.after_decode({layer: of_names(layer, ACTIONS, got) for layer in layers})

    choice.tell('the answer', scores, told)
