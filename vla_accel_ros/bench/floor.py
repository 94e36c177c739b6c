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

"""What the device could do at best, measured between the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import time

import torch

from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.cost.operations import Cost
from vla_accel_ros.models.cost.stages import CostModel

# Side of the square matrices: large enough for the full rate, and so small on a CPU that one
# product in a few is over before another process takes its turn.
CPU_SIDE, GPU_SIDE = 512, 8192
REPEATS = 5
# Bytes that the copy touches: as the model's decoder has, so that the same caches are hit.
LEAST, MOST = 2**22, 2**31


@dataclass(frozen=True)
class Rates:
    """What the device was seen to do.

    Attributes:
        copy: Bytes read and written a second by a copy.
        matrix: Operations a second of a matrix product in the model's type.
        bytes: Bytes that the copy touched.
    """

    copy: float
    matrix: float
    bytes: int


class RateMeter:
    """Measure copy bandwidth and matrix rate; the best of all samples counts.

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
        self.copy, self.matrix = [], []

    def sample(self) -> None:
        """Measure both a few times."""
        touched, operations = 2 * self._from.nbytes, 2 * len(self._left) ** 3
        for _ in range(REPEATS):
            self.copy.append(touched / self._seconds(lambda: self._to.copy_(self._from)))
            self.matrix.append(
                operations
                / self._seconds(lambda: torch.mm(self._left, self._right, out=self._product))
            )

    def _seconds(self, work) -> float:
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
        return Rates(max(self.copy), max(self.matrix), 2 * self._from.nbytes)


class Floor:
    """The least time of each stage on this device, by arithmetic.

    Args:
        config: The model's.
        rates: The device's.
        weight_bytes: Bytes of a weight.
    """

    def __init__(self, config: VLAConfig, rates: Rates, weight_bytes: int) -> None:
        self._model, self._rates, self._bytes = CostModel(config), rates, weight_bytes

    def costs(self, sample: Sample) -> dict[str, Cost]:
        """Count an answer by stage. Selection is counted as nothing: it could be free."""
        costs = self._model.inference(sample.work)
        del costs['selection']
        return costs

    def ms(self, samples: Sequence[Sample]) -> dict[str, float]:
        """Give milliseconds by stage and in `total`, the mean over the samples of a case."""
        seconds: dict[str, float] = {}
        for sample in samples:
            for stage, cost in self.costs(sample).items():
                took = cost.seconds(self._rates.matrix, self._rates.copy, self._bytes)
                seconds[stage] = seconds.get(stage, 0.0) + took
        ms = {stage: 1e3 * total / len(samples) for stage, total in seconds.items()}
        return {**ms, 'total': sum(ms.values())}
