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

"""Keys and values of rows that came before, and how the queries of new rows look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from vla_accel_ros.layers.llama import fused


class Memory:
    """Keys and values in memory, and those of new rows behind them, over several passes.

    Args:
        store: [slots, 2, B, kv heads, capacity, head width], a slot for each layer that has
            attention.
        inside: Whether new rows are written into the store; if not, it is left alone.
        causal: Whether a new row sees only itself and those before it; else all rows of its pass.
    """

    def __init__(self, store: Tensor, inside: bool, causal: bool = True) -> None:
        self.store, self.inside, self.causal = store, inside, causal

    def begin(self, count: int) -> None:
        """Begin a pass of `count` rows."""
        raise NotImplementedError

    def __call__(self, slot: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend; see `Attend`."""
        raise NotImplementedError

    def look(self, slot: int, queries: Tensor) -> Tensor:
        """Give what queries read that see what a slot held before the pass, all of it, alone.

        The new rows have neither keys nor values there; in `new` they are zeros, or anything.

        Args:
            slot: See `Attend`.
            queries: [B, heads, r, head width], rotated.

        Returns:
            [B, heads, r, head width].
        """
        raise NotImplementedError

    @property
    def new(self) -> Tensor:
        """Keys and values of all passes' rows, [slots, 2, B, kv heads, n, head width]."""
        raise NotImplementedError


class Held(Memory):
    """A memory of which the host knows how much is filled: the rest of it is not looked at.

    Args:
        store: See `Memory`.
        held: Of each slot, the rows that it holds.
        inside: See `Memory`.
        causal: See `Memory`.
    """

    def __init__(
        self, store: Tensor, held: Sequence[int], inside: bool, causal: bool = True
    ) -> None:
        super().__init__(store, inside, causal)
        self._held, self._ran = held, 0
        # Keys of the first layer, its values, keys of the second one, ...
        self._parts = store.view(-1, *store.shape[2:])
        self._seen = [] if inside else self._slices([0] * len(held), held)
        self._own: list[Tensor] = []
        self._mask: Tensor | None = None

    def _slices(self, begins: Sequence[int], counts: Sequence[int]) -> list[Tensor]:
        """Cut rows out of the keys and the values of each layer."""
        cuts = list(zip(begins, counts, strict=True))
        if len(set(cuts)) == 1:
            # In one operation for all layers.
            return list(self._parts.narrow(3, *cuts[0]).unbind(0))
        return [
            part.narrow(2, *cuts[index // 2]) for index, part in enumerate(self._parts.unbind(0))
        ]

    def begin(self, count: int) -> None:
        """Begin a pass; see `Memory.begin`."""
        self._ran, self._mask = self._ran + count, None
        if self.inside:
            ends = [held + self._ran for held in self._held]
            self._own = self._slices([end - count for end in ends], [count] * len(ends))
            self._seen = self._slices([0] * len(ends), ends)
        if count > 1 and self.causal:
            # All that came before and, of the new rows, those up to oneself. A layer that holds
            # less takes the right part: fused attention's own flag would align at the left.
            longest = max(self._held) + self._ran
            self._mask = torch.ones(
                count, longest, dtype=torch.bool, device=self.store.device
            ).tril(longest - count)

    def __call__(self, slot: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend; see `Attend`."""
        one, two = 2 * slot, 2 * slot + 1
        if self.inside:
            self._own[one].copy_(keys)
            self._own[two].copy_(values)
        else:
            self._seen[one] = torch.cat([self._seen[one], keys], 2)
            self._seen[two] = torch.cat([self._seen[two], values], 2)
        keys, values, mask = self._seen[one], self._seen[two], self._mask
        return fused(queries, keys, values, None if mask is None else mask[:, -keys.shape[2] :])

    def look(self, slot: int, queries: Tensor) -> Tensor:
        """See `Memory.look`."""
        return fused(queries, *self.store[slot, :, :, :, : self._held[slot]].unbind(0))

    @property
    def new(self) -> Tensor:
        """See `Memory.new`."""
        if self.inside and len(set(self._held)) == 1:
            return self.store.narrow(4, self._held[0], self._ran)
        rows = [part.narrow(2, part.shape[2] - self._ran, self._ran) for part in self._seen]
        return torch.stack(rows).view(-1, 2, *rows[0].shape)


class Masked(Memory):
    """A memory of which a tensor says how much is filled; it is looked at as a whole.

    Attention has two parts, over the memory and over the new rows, and one softmax. No shape
    depends on how much is filled, and nothing is written.

    Args:
        store: See `Memory`; no number in it is NaN or infinite, not even in what is not filled.
        lengths: int [slots], the rows that each slot holds.
        made: By slot, keys and values [B, kv heads, n, head width] of rows that came after those.
        causal: See `Memory`.
    """

    def __init__(
        self,
        store: Tensor,
        lengths: Tensor,
        made: Mapping[int, tuple[Tensor, Tensor]] = MappingProxyType({}),
        causal: bool = True,
    ) -> None:
        super().__init__(store, inside=False, causal=causal)
        places = torch.arange(store.shape[4], device=store.device)
        self._hidden = _bias(places >= lengths[:, None], store)
        self._later: Tensor | None = None
        self.made = dict(made)

    def begin(self, count: int) -> None:
        """Begin a pass; a second one only if both are of one row; see `Memory.begin`."""
        if not self.causal or (isinstance(count, int) and count == 1):
            return
        places = torch.arange(count, device=self.store.device)
        self._later = _bias(places > places[:, None], self.store)

    def __call__(self, slot: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend; see `Attend`."""
        if slot in self.made:
            before = self.made[slot]
            keys, values = torch.cat([before[0], keys], 2), torch.cat([before[1], values], 2)
        self.made[slot] = keys, values
        stored_keys, stored_values = self.store[slot].unbind(0)
        batch, kv_heads, capacity, width = stored_keys.shape
        grouped, shared = queries * width**-0.5, queries.shape[1] != kv_heads
        if shared:
            # Heads that share keys stand below one another: keys need not be repeated.
            grouped = grouped.reshape(batch, kv_heads, -1, width)
        old = grouped @ stored_keys.transpose(-1, -2) + self._hidden[slot]
        new = grouped @ keys.transpose(-1, -2)
        if self._later is not None:
            count, whole = queries.shape[2], new.shape
            if shared:
                new = new.view(batch, kv_heads, -1, count, count)
            new = (new + self._later).view(whole)
        weights = torch.cat([old, new], -1).softmax(-1, dtype=torch.float32).to(values.dtype)
        read = weights[..., :capacity] @ stored_values + weights[..., capacity:] @ values
        return read.view(queries.shape) if shared else read

    def look(self, slot: int, queries: Tensor) -> Tensor:
        """See `Memory.look`."""
        blank = self.store.new_zeros(*self.store[slot, 0, :, :, 0].shape[:2], queries.shape[2], 1)
        blank = blank.expand(-1, -1, -1, self.store.shape[-1])
        self.made[slot] = blank, blank
        return fused(queries, *self.store[slot].unbind(0), self._hidden[slot, None])

    @property
    def new(self) -> Tensor:
        """See `Memory.new`."""
        return torch.stack([torch.stack(made) for made in self.made.values()])


def _bias(hidden: Tensor, like: Tensor) -> Tensor:
    # In the type of what it is added to: a wider one would widen the sum.
    return torch.zeros_like(hidden, dtype=like.dtype).masked_fill(hidden, float('-inf'))


class Placed(Memory):
    """As `Masked`, but new rows are written into the memory first, where a tensor says.

    One fused attention over the whole memory then, for devices where each operation costs.

    Args:
        store: See `Memory`, and as for `Masked`.
        lengths: int [slots], the rows that each slot holds.
        causal: See `Memory`.
    """

    def __init__(self, store: Tensor, lengths: Tensor, causal: bool = True) -> None:
        super().__init__(store, True, causal)
        self._lengths = lengths
        self._made: list[list[Tensor]] = []

    def begin(self, count: int) -> None:
        """Begin a pass; see `Memory.begin`."""
        ran = sum(made[0].shape[3] for made in self._made)
        device = self.store.device
        self._places = self._lengths[:, None] + torch.arange(ran, ran + count, device=device)
        last = self._places if self.causal else self._places[:, -1:]
        self._seen = torch.arange(self.store.shape[4], device=device) <= last[..., None]
        self._made.append([])

    def __call__(self, slot: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend; see `Attend`."""
        self._made[-1].append(torch.stack([keys, values]))
        own = self.store[slot]
        own.index_copy_(3, self._places[slot], self._made[-1][-1])
        return fused(queries, *own.unbind(0), self._seen[slot])

    def look(self, slot: int, queries: Tensor) -> Tensor:
        """See `Memory.look`."""
        places = torch.arange(self.store.shape[4], device=self.store.device)
        seen = places < self._lengths[slot].view(1, 1)
        rows = self.store[slot, :, :, :, : queries.shape[2]]
        self._made[-1].append(torch.zeros_like(rows))
        return fused(queries, *self.store[slot].unbind(0), seen)

    @property
    def new(self) -> Tensor:
        """See `Memory.new`."""
        return torch.cat([torch.stack(made) for made in self._made], 4)
