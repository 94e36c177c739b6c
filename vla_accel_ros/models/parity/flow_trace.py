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

"""Everything on the way of a flow model's answer, by the programs that run on a robot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.scores import attention_rows


@dataclass(frozen=True)
class Traced:
    """A prefix, layer by layer.

    Attributes:
        hidden: Input of each layer [rows, width], then the final norm's output.
        new: Of each layer keys and values [2, kv heads, rows, head width].
        weights: Of each layer the attention [heads, rows, rows].
        cache: With the keys and values.
    """

    hidden: list[Tensor]
    new: list[Tensor]
    weights: list[Tensor]
    cache: KVCache


def trace_prefix(
    model: VLA,
    x: Tensor,
    positions: Tensor,
    drop_after: int | None = None,
    stay: Tensor | None = None,
) -> Traced:
    """Run a prefix by spans of one layer each.

    Args:
        model: The model.
        x: [1, S, width].
        positions: int [S].
        drop_after: Layers after which rows are dropped, at least 1; None for never.
        stay: int [n], the rows that stay.
    """
    decoder, depth = model.language_model.model, model.config.decoder.layers
    cache = model.new_cache(x.shape[1] + model.config.behind)
    traced = Traced([x[0]], [], [], cache)
    for layer in range(depth):
        given, narrowed = {'x': x}, layer == drop_after and stay is not None
        if narrowed:
            positions = positions[stay]
            given['stay'] = stay
        given['positions'] = positions
        final = layer + 1 == depth
        if final:
            given['rows'] = torch.arange(len(positions))
        program = Span(decoder, layer, layer + 1, False, narrowed, final, taps=(layer + 1,))
        room = cache.room(layer, layer + 1, len(positions))
        done = call(EAGER, program, given, {'new': room})
        cache.grow(len(positions), layer, layer + 1)
        x = done['x']
        traced.hidden.append(x[0])
        traced.new.append(done['new'][0, :, 0])
        traced.weights.append(
            attention_rows(done[f'queries.{layer + 1}'][0], done['new'][0, 0, 0])
        )
    if drop_after == depth and stay is not None:
        traced.hidden[-1] = traced.hidden[-1][stay]
    return traced


def attention_of(
    queries: dict[int, Tensor] | Sequence[Tensor], keys: Sequence[Tensor]
) -> list[Tensor]:
    """Give the attention [heads, rows, keys] of each layer's queries over its keys.

    Args:
        queries: Of each layer [1, heads, rows, head width].
        keys: Of each layer [kv heads, keys, head width].
    """
    parts = queries.values() if isinstance(queries, dict) else queries
    return [attention_rows(q[0], k) for q, k in zip(parts, keys, strict=True)]


def numbers(tensor: Tensor) -> np.ndarray:
    """Give a tensor as an array."""
    return tensor.detach().cpu().numpy()
