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

"""What a device does at best: copies, matrix products, and the start of one operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time

import torch

# Side of the square matrices: large enough for the full rate, and so small on a CPU that one
# product in a few is over before another process takes its turn.
CPU_SIDE, GPU_SIDE = 512, 8192
REPEATS = 5
# Operations that are started one behind the other to time one start.
STARTS = 200
# Bytes that the copy touches: as the model's decoder has, so that the same caches are hit.
LEAST, MOST = 2**22, 2**31


@dataclass(frozen=True)
class Rates:
    """What a device was seen to do.

    Attributes:
        copy: Bytes read and written a second by a copy.
        matrix: Operations a second of a matrix product in the model's type.
        bytes: Bytes that the copy touched.
        launch: Seconds from the start of one small operation to that of the next one.
    """

    copy: float
    matrix: float
    bytes: int
    launch: float = 0.0


class RateMeter:
    """Measure copy bandwidth, matrix rate and launch cost; the best of all samples counts.

    Args:
        device: As the model's.
        dtype: As the model's weights'.
        touched: Bytes that a copy is to touch, half read and half written.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype, touched: int) -> None:
        self._device = device
        side = GPU_SIDE if device.type == 'cuda' else CPU_SIDE
        self._left, self._right = (
            torch.ones(side, side, device=device, dtype=dtype) for _ in range(2)
        )
        self._product = torch.empty_like(self._left)
        half = min(max(touched, LEAST), MOST) // 2
        self._from = torch.ones(half // 4, device=device)
        self._to = torch.empty_like(self._from)
        self._small = torch.ones(1, device=device)
        self.copy: list[float] = []
        self.matrix: list[float] = []
        self.launch: list[float] = []

    def sample(self) -> None:
        """Measure each a few times."""
        touched, operations = 2 * self._from.nbytes, 2 * len(self._left) ** 3
        for _ in range(REPEATS):
            self.copy.append(touched / self._seconds(lambda: self._to.copy_(self._from)))
            self.matrix.append(
                operations
                / self._seconds(lambda: torch.mm(self._left, self._right, out=self._product))
            )
            self.launch.append(self._seconds(self._many) / STARTS)

    def _many(self) -> None:
        for _ in range(STARTS):
            self._small.add_(0)

    def _seconds(self, work: Callable[[], object]) -> float:
        self._wait()
        start = time.perf_counter()
        work()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)

    def best(self) -> Rates:
        """Give the best rates seen.

        Raises:
            ValueError: When nothing was measured.
        """
        if not self.copy:
            raise ValueError('no rate was measured')
        return Rates(max(self.copy), max(self.matrix), 2 * self._from.nbytes, min(self.launch))
