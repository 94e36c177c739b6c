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


"""One inference of a single-pass model: from pixels to a chunk of actions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.families.oft.model import OpenVLAOFT
from vla_accel_ros.models.inference import Inference, Watch
from vla_accel_ros.models.pruned import encode, prefill
from vla_accel_ros.models.rows import chunk_rows
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Scene


@dataclass(frozen=True)
class ChunkAnswer:
    """What an inference gives.

    Attributes:
        numbers: What the head makes of `hidden`; see `OFTOutput.numbers`.
        hidden: [1, chunk * dims, width] after the final norm.
        kept_ids: int64 [kept], visual tokens that the decoder's last layer saw, ascending.
        work: As `tokens.Answer.work`.
        round_trips: As `tokens.Answer.round_trips`.
    """

    numbers: Tensor
    hidden: Tensor
    kept_ids: Tensor
    work: Workload
    round_trips: int


def answer_chunk(
    model: OpenVLAOFT,
    pixels: Tensor,
    ids: Tensor,
    proprio: Tensor | None,
    scene: Scene,
    pruner: Pruner,
    new_cache: Callable[[int], KVCache],
    watch: Watch = nullcontext,
    engine: Engine = EAGER,
) -> ChunkAnswer:
    """Run towers, projector, decoder and head, pruning on the way.

    Args:
        model: The model.
        pixels: [1, channels, H, W].
        ids: int64 [1, T], the prompt, BOS first.
        proprio: [1, proprio], normalised; None where the checkpoint wants none.
        scene: What the pruner may look at.
        pruner: How visual tokens are pruned.
        new_cache: Gives an empty cache for a sequence of that length, for the keys and values
            that its layers give.
        watch: Called with a stage's name, gives the context that times it.
        engine: What runs the model's programs.

    Raises:
        ProprioError: When proprioception is missing, of another size or not wanted.
    """
    inference = Inference(model, pruner, scene, engine, watch)
    visual, present, projected = encode(inference, pixels, ids)
    with watch('prefill'):
        model.check_proprio(proprio)
        given = {'ids': ids, 'visual': visual}
        if proprio is not None:
            given['proprio'] = proprio
        x = inference.run(model.sequence(proprio is not None), given)['x']
        rows = chunk_rows(ids.shape[1] - 1, model.config.slots)
        cache, read = new_cache(x.shape[1]), model.config.slots + 2
        done = prefill(inference, x, present, cache, rows, read, causal=False)
        hidden = done.hidden[:, model.rows]
    with watch('decode'):
        numbers = inference.run(model.head(), {'rows': hidden})['numbers']
    with watch('selection'):
        inference.choice.finish()
    work = Workload(ids.shape[1], done.seen, projected, needs=inference.choice.needs)
    return ChunkAnswer(numbers, hidden, done.kept_ids, work, inference.choice.round_trips)
