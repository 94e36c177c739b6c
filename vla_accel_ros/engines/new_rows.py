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

"""Room for outputs: where an engine's own memory holds them, they are copied to where they belong.

Programs that run eagerly write there by themselves; see `Program.run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from torch import Tensor

from vla_accel_ros.engines.interface import Tensors


def keep(done: Tensors, given: Tensors, room: Tensors, held: Sequence[int] | None = None) -> None:
    """Write new keys and values to the room that a program was given for them.

    Args:
        done: The program's outputs; `new` [layers, 2, B, kv heads, k, head width] is written.
        given: Its inputs.
        room: Its room: for `new`, whose last k rows are written; for `store`, where each layer's
            are written behind what it holds, if it gives them; or for nothing.
        held: How many rows each layer of the store holds; read from `lengths` where None.
    """
    if 'new' in room:
        room['new'][..., -done['new'].shape[4] :, :] = done['new']
    if 'store' in room and 'new' in done:
        place(room['store'], done['new'], given['lengths'].tolist() if held is None else held)


def place(store: Tensor, new: Tensor, held: Sequence[int]) -> None:
    """Write rows [layers, 2, B, kv heads, k, head width] to a store behind what layers hold."""
    for length, layers in groupby(range(len(held)), key=lambda layer: held[layer]):
        first, *others = layers
        group = slice(first, first + 1 + len(others))
        store[group, ..., length : length + new.shape[4], :] = new[group]
