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

"""Operations and memory traffic of the layers that models are made of.

Counted are matrix products and convolutions, two operations for a multiply and an add, and
attention over all pairs of queries and keys, whether or not a mask hides some: what torch's own
counter counts. What works element by element is left out: beside those it is a few per mille of
the operations, and on the CPU or in one kernel no matter of arithmetic at all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What a computation takes.

    Attributes:
        flops: Floating-point operations.
        weights: Weights read, as numbers.
        cached: Entries of keys and values read or written, as numbers.
    """

    flops: float = 0.0
    weights: float = 0.0
    cached: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.flops + other.flops, self.weights + other.weights, self.cached + other.cached
        )

    def __mul__(self, times: float) -> Cost:
        return Cost(self.flops * times, self.weights * times, self.cached * times)

    def bytes(self, weight_bytes: float, cache_bytes: float | None = None) -> float:
        """Give the memory traffic, bytes. Activations are left out: they stay in the caches.

        Args:
            weight_bytes: Bytes of a weight: 4, 2, 1, 0.5.
            cache_bytes: Bytes of an entry of keys or values, as a weight's if None.
        """
        entry = weight_bytes if cache_bytes is None else cache_bytes
        return self.weights * weight_bytes + self.cached * entry

    def seconds(
        self,
        flop_rate: float,
        byte_rate: float,
        weight_bytes: float,
        cache_bytes: float | None = None,
    ) -> float:
        """Give the least time on a device, the longer one of computing and reading.

        Args:
            flop_rate: Matrix products, operations a second.
            byte_rate: Memory, bytes a second.
            weight_bytes: As for `bytes`.
            cache_bytes: As for `bytes`.
        """
        return max(self.flops / flop_rate, self.bytes(weight_bytes, cache_bytes) / byte_rate)


def linear(rows: float, inputs: int, outputs: int, bias: bool = True) -> Cost:
    """Count a linear layer over some rows."""
    return Cost(2 * rows * inputs * outputs, inputs * outputs + bias * outputs)


def convolution(side: int, inputs: int, outputs: int, kernel: int, bias: bool = True) -> Cost:
    """Count a convolution to an image of `side` x `side`."""
    return linear(side * side, inputs * kernel * kernel, outputs, bias)


def attention(queries: float, keys: float, width: int) -> Cost:
    """Count products of queries with keys, and of their weights with values.

    Args:
        queries: Rows.
        keys: Columns.
        width: Channels of all query heads together.
    """
    return Cost(4 * queries * keys * width)


def scores(queries: float, keys: float, width: int, key_width: int = 0) -> Cost:
    """Count attention weights alone, without the values.

    Args:
        queries: Rows.
        keys: Columns.
        width: Channels of all query heads together.
        key_width: Channels of a key in the cache; 0 where keys are at hand.
    """
    return Cost(2 * queries * keys * width, 0, keys * key_width)
