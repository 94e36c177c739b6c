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


"""Where the time of an inference goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import time

import torch

STAGES = ('preprocess', 'towers', 'projector', 'selection', 'prefill', 'decode', 'detokenise')


class Stopwatch:
    """Time by stage, with the device synchronised at each stage's start and end.

    A stage within another one counts for itself alone, one that comes again is added up.

    Args:
        device: Where the model runs.

    Attributes:
        ms: Milliseconds by stage.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._within = 0.0
        self.ms = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        before, self._within = self._within, 0.0
        start = self._now()
        yield
        took = self._now() - start
        self.ms[stage] += took - self._within
        self._within = before + took

    def _now(self) -> float:
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)
        return time.perf_counter() * 1e3
