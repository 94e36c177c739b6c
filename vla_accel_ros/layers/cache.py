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

import torch
from torch import Tensor

from vla_accel_ros.layers.shapes import DecoderConfig


class KVCache:
    """Preallocated key and value store with a length of its own in each layer.

    Lengths differ by layer once tokens are dropped between layers. The cache therefore never
    says at which position a token stands: positions are always passed to the decoder.

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

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add tokens to a layer and give all that it holds.

        Args:
            layer: Index of the layer.
            keys: [B, kv heads, n, head width], already rotated.
            values: The same shape.

        Returns:
            Keys and values [B, kv heads, length, head width] as views of the store.

        Raises:
            ValueError: When the tokens do not fit.
        """
        start = self.lengths[layer]
        end = start + keys.shape[2]
        if end > self.capacity:
            raise ValueError(f'cache holds {self.capacity} tokens a layer, {end} were asked for')
        self.store[layer, 0, :, :, start:end] = keys
        self.store[layer, 1, :, :, start:end] = values
        self.lengths[layer] = end
        return self.store[layer, 0, :, :, :end], self.store[layer, 1, :, :, :end]

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
