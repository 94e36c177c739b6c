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
from typing import Any, Protocol

import torch

STAGES = ('preprocess', 'towers', 'projector', 'selection', 'prefill', 'decode', 'detokenise')


class Clock(Protocol):
    """Marks moments, and says how far they are apart."""

    def mark(self) -> Any:
        """Mark this moment; nothing is waited for."""

    def between(self, begin: Any, end: Any) -> float:
        """Give the milliseconds between two moments, once the later one has come."""


class HostClock:
    """The host's own: for models on a CPU, where a call is over when it returns."""

    def mark(self) -> float:
        """See `Clock.mark`."""
        return time.perf_counter() * 1e3

    def between(self, begin: float, end: float) -> float:
        """See `Clock.between`."""
        return end - begin


class DeviceClock:
    """A GPU's: a moment comes when the device has done what it was given before.

    So the host need not wait at each stage until the device has caught up with it, and what is
    timed is as fast as what is not.

    Args:
        device: The GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def mark(self) -> torch.cuda.Event:
        """See `Clock.mark`."""
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event

    def between(self, begin: torch.cuda.Event, end: torch.cuda.Event) -> float:
        """See `Clock.between`."""
        end.synchronize()
        return begin.elapsed_time(end)


def clock_of(device: torch.device) -> Clock:
    """Give the clock of a device."""
    return DeviceClock(device) if device.type == 'cuda' else HostClock()


class Stopwatch:
    """Time by stage.

    A stage within another one counts for itself alone, one that comes again is added up. While
    stages run, moments are only marked.

    Args:
        clock: That of the device on which the model runs.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Of each stage its name, when it began and ended, and the stage that it was within.
        self._stages: list[tuple[str, Any, Any, str | None]] = []
        self._within: str | None = None

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        outer, self._within = self._within, stage
        begin = self._clock.mark()
        yield
        self._stages.append((stage, begin, self._clock.mark(), outer))
        self._within = outer

    def ms(self) -> dict[str, float]:
        """Give the milliseconds of each stage; on a GPU the last one is waited for."""
        result = dict.fromkeys(STAGES, 0.0)
        for stage, begin, end, outer in self._stages:
            took = self._clock.between(begin, end)
            result[stage] += took
            if outer is not None:
                result[outer] -= took
        return result
