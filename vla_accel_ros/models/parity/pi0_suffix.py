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

"""What a fixture of pi0 or pi0.5 stores of the action expert's inside."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.flow import Velocity
from vla_accel_ros.layers.flow_time import embed_times
from vla_accel_ros.layers.memory import Held
from vla_accel_ros.models.parity.flow_trace import attention_of
from vla_accel_ros.models.parity.pi0_reference import Pi0Case, arrays

# The time at which rows of attention are stored beside those at 1.
LATER = 0.35


def suffix(ready: Pi0Case, times: np.ndarray) -> dict[str, np.ndarray]:
    """Compute what is stored of the expert's inside."""
    network, depth = ready.model.flow, ready.model.config.decoder.layers
    _, prefix = ready.prefix()
    layers = tuple(range(1, depth + 1))
    leading = network.before

    def inside(time: float) -> tuple[Tensor, list[Tensor]]:
        """Give the layers' inputs [layers + 1, rows, width], and attention of three rows."""
        hidden: list[Tensor] = []
        memory = Held(prefix.cache.store, prefix.cache.held, True, causal=False)
        condition = ready.head.conditions([time])[0]
        _, queries = network.velocity(
            ready.noise, condition, prefix.position, memory, layers, hidden
        )
        count = ready.noise.shape[1]
        ends = [held + count for held in prefix.cache.held]
        keys = [prefix.cache.store[k, 0, 0, :, :end] for k, end in enumerate(ends)]
        weights = attention_of(queries, keys)
        rows = [weight[:, [0, -1]] for weight in weights]
        inner = torch.cat(hidden)
        if not leading:
            return inner, [weight[:, [0, 0, -1]] for weight in weights]
        first: list[Tensor] = []
        before = tuple(held - leading for held in prefix.cache.held)
        own = Held(prefix.cache.store, before, True, causal=False)
        last, asked = network.leading_rows(ready.ask.proprio, prefix.position, own, layers, first)
        seen = [prefix.cache.store[k, 0, 0, :, :end] for k, end in enumerate(prefix.cache.held)]
        ahead = attention_of(asked, seen)
        ahead = [torch.nn.functional.pad(weight, (0, count)) for weight in ahead]
        return (
            torch.cat([torch.cat([*first, last]), inner], 1),
            [torch.cat(pair, 1) for pair in zip(ahead, rows, strict=True)],
        )

    config, more = ready.model.config.head, leading + ready.noise.shape[1]
    embedding = embed_times(
        torch.tensor(times.tolist(), dtype=torch.float64),
        network.width,
        config.shortest_period,
        config.longest_period,
    ).to(ready.model.dtype)
    whole = torch.stack([inside(time)[0] for time in times.tolist()])
    starts = np.zeros(more, np.float32)
    starts[: leading + 1] = 1
    found: dict[str, Tensor | np.ndarray] = {
        'time_embedding': embedding,
        'suffix_embs': whole[:, 0],
        'suffix_hidden': whole,
        'suffix_att_mask': starts,
        'attn_suffix_rows': ready.spread(torch.stack(inside(1.0)[1]), more),
        'attn_suffix_rows_t035': ready.spread(
            torch.stack(inside(float(np.float32(LATER)))[1]), more
        ),
        'attn_action_to_prefix': ready.spread(_to_prefix(ready, layers)),
    }
    if network.adaptive:
        found['adarms_cond'] = network.time_condition(embedding)
    return arrays(found, ready.case.name)


def _to_prefix(ready: Pi0Case, layers: tuple[int, ...]) -> Tensor:
    """Give what each prefix row receives from the action rows, [steps, layers, V]."""
    _, prefix = ready.prefix()
    plan, x = ready.head.plan(ready.noise, ready.model.config.head.steps), ready.noise
    program = Velocity(ready.head.network, layers, prefix.cache.held)
    rows = []
    for condition in plan.conditions:
        given = {'x': x, 'condition': condition, 'position': prefix.position}
        given |= {'store': prefix.cache.store, 'lengths': prefix.cache.lengths}
        got = call(EAGER, program, given, {'store': prefix.cache.store})
        keys = [
            torch.cat([prefix.cache.of_layer(k - 1)[0, 0], got['new'][k - 1, 0, 0]], 1)
            for k in layers
        ]
        weights = attention_of([got[f'queries.{k}'] for k in layers], keys)
        rows.append(torch.stack([w.mean((0, 1))[: len(ready.places)] for w in weights]))
        x = x + got['velocity'] * plan.step
    return torch.stack(rows)
