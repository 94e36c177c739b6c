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

"""What a fixture of pi0 or pi0.5 stores of answers from a part of the visual tokens."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.layers.memory import Held
from vla_accel_ros.models.heads.flow import FlowPrefix, denoise
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.parity.fixed_pruner import FixedPruner
from vla_accel_ros.models.parity.flow_trace import Traced, trace_prefix
from vla_accel_ros.models.parity.pi0_reference import Pi0Case, arrays, embedded


def pruned(ready: Pi0Case, keep: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the answers from a part of the visual tokens.

    Args:
        ready: The case.
        keep: int [n], rows of the padded prefix that stay beside the text.
    """
    layout = layout_of(ready.model.config)
    kept = np.flatnonzero(np.isin(ready.places, keep))
    mask = torch.zeros(layout.total, dtype=torch.bool)
    mask[torch.from_numpy(kept)] = True
    mask = mask.view(layout.cameras, layout.tokens)
    found: dict[str, Tensor | np.ndarray] = {}
    x = embedded(ready)
    count = x.shape[1]
    stay = torch.cat([torch.from_numpy(kept), torch.arange(layout.total, count)])
    steps = ready.model.config.head.steps
    for word, layer in (('before', 0), ('after2', 2)):
        pruner = FixedPruner(layout, mask, layer)
        found[f'pruned_{word}_actions'] = ready.answer(steps, pruner)
        _, prefix = ready.prefix(FixedPruner(layout, mask, layer))
        found[f'pruned_{word}_velocity'] = ready.velocities(prefix, ready.noise, [1.0])[0]
    places = torch.arange(count)
    before = trace_prefix(ready.model, x[:, stay], places[stay])
    found['pruned_before_last_hidden'] = before.hidden[-1]
    found['pruned_after2_last_hidden'] = trace_prefix(ready.model, x, places, 2, stay).hidden[-1]
    compact = trace_prefix(ready.model, x[:, stay], torch.arange(len(stay)))
    found['pruned_before_compact_last_hidden'] = compact.hidden[-1]
    found |= _compact(ready, compact, len(stay), steps)
    return arrays(found, ready.case.name)


def _compact(ready: Pi0Case, trace: Traced, count: int, steps: int) -> dict[str, Tensor]:
    """Answer from a prefix whose positions were counted anew, which no robot does."""
    inference, prefix = ready.prefix()
    network, cache, position = ready.head.network, trace.cache, torch.tensor([count])
    if network.before:
        memory = Held(cache.store, cache.held, True, causal=False)
        network.leading(ready.ask.proprio, position, memory)
        cache.grow(network.before)
    anew = FlowPrefix(cache, position, prefix.prompt, prefix.projected)
    plan = ready.head.plan(ready.noise, steps)
    return {
        'pruned_before_compact_actions': denoise(inference, network, anew, plan)[0][0],
        'pruned_before_compact_velocity': ready.velocities(anew, ready.noise, [1.0])[0],
    }
