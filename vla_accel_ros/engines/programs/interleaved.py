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

"""The prefix as SmolVLA's expert reads it, made once a chunk."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.layers.interleaved import InterleavedExpert


@dataclass(frozen=True)
class CrossPrefix:
    """Keys and values of the prefix as the expert's layers read them in every step of a chunk.

    In: `store` [slots, 2, B, kv heads, capacity, head width], what the language model's layers
    left, all of it finite. Out: `store` of the same shape, in which the slots of cross layers are
    projected by these. Where it is given as room, it is changed in place.

    Attributes:
        expert: The expert.
        held: Of each slot, the rows that it holds, where the host knows them; the others are left
            alone then.
    """

    expert: InterleavedExpert
    held: tuple[int, ...] | None = field(default=None, compare=False)
    name = 'cross_prefix'
    inputs = ('store',)
    outputs = ('store',)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Project; see `Program.run`."""
        store, cross = given['store'], self.expert.cross
        if 'store' not in room:
            parts = [
                self.expert.project(layer, part) if layer in cross else part
                for layer, part in enumerate(store.unbind(0))
            ]
            return {'store': torch.stack(parts)}
        inside = room['store']
        for layer in cross:
            rows = inside[layer]
            if self.held is not None:
                rows = rows[..., : self.held[layer], :]
            rows.copy_(self.expert.project(layer, rows))
        return {'store': inside}
