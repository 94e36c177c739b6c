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

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from vla_accel_ros.layers.shapes import DecoderConfig


class KVCache:
    """Preallocated key and value store with a length of its own in each layer.

    Lengths differ by layer once tokens are dropped between layers. The cache therefore never
    says at which position a token stands: positions are always passed to the decoder.

    A program never sees the cache, only its store and lengths, and writes behind what is held.
    What is not held may be looked at under a mask, so it must be finite as well: the store begins
    as zeros, and whoever finds that a model gave NaN wipes it.

    Args:
        config: The decoder's shape.
        capacity: Most tokens a layer can hold.
        batch: Sequences.
        device: Where to keep it.
        dtype: Type of the entries.

    Attributes:
        store: [slots, keys and values, B, kv heads, capacity, head width], a slot for each layer
            that has attention.
        lengths: int64 [slots], tokens that each slot holds, on the device.
        held: The same numbers on the host.
    """

    def __init__(
        self,
        config: DecoderConfig,
        capacity: int,
        batch: int = 1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self._config, slots = config, len(config.attending)
        shape = slots, 2, batch, config.kv_heads, capacity, config.head_width
        # Memory made in inference mode could not be written to outside of it.
        with torch.inference_mode(False):
            self.store = torch.zeros(shape, device=device, dtype=dtype)
            self.lengths = torch.zeros(slots, dtype=torch.int64, device=device)
        self.held = (0,) * slots

    @property
    def capacity(self) -> int:
        """Most tokens a layer can hold."""
        return self.store.shape[4]

    def slots(self, first: int = 0, last: int | None = None) -> range:
        """Give the slots of layers [first, last), all by default."""
        config = self._config
        return range(config.slot(first), config.slot(config.layers if last is None else last))

    def of_layer(self, layer: int) -> Tensor:
        """Give keys and values that a layer with attention, counted from 0, holds.

        Returns:
            [2, B, kv heads, length, head width], a view of the store.
        """
        slot = self._config.slot(layer)
        return self.store[slot, :, :, :, : self.held[slot]]

    def room(self, first: int, last: int, count: int) -> Tensor:
        """Give the memory behind what layers [first, last) hold, where they hold equally many.

        Args:
            first: First layer, from 0.
            last: The layer behind the last one.
            count: Tokens that are to come.

        Returns:
            [slots, 2, B, kv heads, count, head width], a view of the store.

        Raises:
            ValueError: When the tokens do not fit.
        """
        self.check_room(count, first, last)
        slots = self.slots(first, last)
        begin = self.held[slots.start] if slots else 0
        return self.store[slots.start : slots.stop, :, :, :, begin : begin + count]

    def check_room(self, count: int, first: int = 0, last: int | None = None) -> None:
        """Check that layers [first, last), all by default, have room for more tokens.

        Raises:
            ValueError: When they have not.
        """
        slots = self.slots(first, last)
        end = max(self.held[slots.start : slots.stop], default=0) + count
        if end > self.capacity:
            raise ValueError(f'cache holds {self.capacity} tokens a layer, {end} were asked for')

    def grow(self, count: int, first: int = 0, last: int | None = None) -> None:
        """Say that so many tokens of layers [first, last), all by default, were written."""
        slots, held = self.slots(first, last), self.held
        self.lengths[slots.start : slots.stop] += count
        grown = (held[slot] + count for slot in slots)
        self.held = (*held[: slots.start], *grown, *held[slots.stop :])

    def drop_last(self, count: int) -> None:
        """Forget the newest tokens of every layer, such as refused drafts.

        Raises:
            ValueError: When a layer holds fewer.
        """
        if not 0 <= count <= min(self.held):
            raise ValueError(f'cannot drop {count} tokens, a layer holds {min(self.held)}')
        self.grow(-count)

    def clear(self) -> None:
        """Forget all, keeping the memory."""
        self.lengths.zero_()
        self.held = (0,) * len(self.held)

    def wipe(self) -> None:
        """Make the memory zeros again, too, after a model wrote what is not finite."""
        self.clear()
        self.store.zero_()


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

    def wipe(self) -> None:
        """Make the memory that was lent zeros again; see `KVCache.wipe`."""
        if self._cache is not None:
            self._cache.wipe()

    @contextmanager
    def wiped_on_failure(self) -> Iterator[None]:
        """Give a context that leaves zeros behind where it fails, as it does by NaN."""
        try:
            yield
        except BaseException:
            self.wipe()
            raise
