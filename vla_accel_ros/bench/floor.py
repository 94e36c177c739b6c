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

"""What a model could take at best on this device, by arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.engines.device import Rates
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.cost.operations import Cost
from vla_accel_ros.models.cost.stages import CostModel


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
