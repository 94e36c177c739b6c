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

"""Keys and values of tokens that were seen, in memory allocated once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from vla_accel_ros.layers.shapes import DecoderConfig


class KVCache:
    """Preallocated key and value store with a length of its own in each layer.

    Lengths differ by layer once tokens are dropped between layers. The cache therefore never
    says at which position a token stands: positions are always passed to the decoder.

    A program never sees the cache. It is given what layers hold (`held`), and room behind it to
    write new keys and values in (`room`); both are views of the one store.

    Args:
        config: The decoder's shape.
        capacity: Most tokens a layer can hold.
        batch: Sequences.
        device: Where to keep it.
        dtype: Type of the entries.
    """

    def __init__(
        self,
        config: DecoderConfig,
        capacity: int,
        batch: int = 1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        # [layers, keys and values, B, kv heads, capacity, head width]
        self.store = torch.empty(
            config.layers,
            2,
            batch,
            config.kv_heads,
            capacity,
            config.head_width,
            device=device,
            dtype=dtype,
        )
        self.lengths = [0] * config.layers

    @property
    def capacity(self) -> int:
        """Most tokens a layer can hold."""
        return self.store.shape[4]

    @property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """Runs of layers [first, last) that hold equally many tokens, in order."""
        edges = [
            layer
            for layer in range(1, len(self.lengths))
            if self.lengths[layer] != self.lengths[layer - 1]
        ]
        return tuple(pairwise([0, *edges, len(self.lengths)]))

    def held(self, first: int, last: int) -> Tensor:
        """Give keys and values of layers [first, last) that hold equally many tokens.

        Returns:
            [layers, 2, B, kv heads, length, head width], a view of the store.
        """
        return self.store[first:last, :, :, :, : self.lengths[first]]

    def room(self, first: int, last: int, count: int) -> Tensor:
        """Give what layers [first, last) hold, with room for more tokens behind it.

        Args:
            first: First layer, from 0.
            last: The layer behind the last one.
            count: Tokens that are to come.

        Returns:
            [layers, 2, B, kv heads, length + count, head width], a view of the store.

        Raises:
            ValueError: When the tokens do not fit.
        """
        end = self.lengths[first] + count
        if end > self.capacity:
            raise ValueError(f'cache holds {self.capacity} tokens a layer, {end} were asked for')
        return self.store[first:last, :, :, :, :end]

    def grow(self, first: int, last: int, count: int) -> None:
        """Say that the room for so many tokens of layers [first, last) was filled."""
        for layer in range(first, last):
            self.lengths[layer] += count

    def drop_last(self, count: int) -> None:
        """Forget the newest tokens of every layer, such as refused drafts.

        Raises:
            ValueError: When a layer holds fewer.
        """
        if not 0 <= count <= min(self.lengths):
            raise ValueError(f'cannot drop {count} tokens, a layer holds {min(self.lengths)}')
        self.lengths = [length - count for length in self.lengths]

    def clear(self) -> None:
        """Forget all, keeping the memory."""
        self.lengths = [0] * len(self.lengths)


class CacheLender:
    """Lends one cache to one inference after the other, made anew where it is too small.

    Args:
        make: Gives a cache of a capacity.
    """

    # Prompts differ by a few tokens: not each one a little longer needs memory of its own.
    STEP = 64

    def __init__(self, make: Callable[[int], KVCache]) -> None:
        self._make = make
        self._cache: KVCache | None = None

    def __call__(self, capacity: int) -> KVCache:
        """Give the cache, empty, for at least `capacity` tokens; whoever had it has it no more."""
        if self._cache is None or self._cache.capacity < capacity:
            self._cache = None
            self._cache = self._make(-(-capacity // self.STEP) * self.STEP)
        self._cache.clear()
        return self._cache
