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

"""The rate of the command stream: it follows the rate of the actions."""

from __future__ import annotations

from math import isfinite


class AdaptiveRate:
    """Stream rate that keeps a few samples to an action, between a floor and a ceiling.

    rate = clamp(samples_per_action / EWMA(interval), min_rate, max_rate). With a whole number
    of samples to an action the last sample ends where the next action begins.

    Args:
        min_rate_hz: Floor; MoveIt Servo drops commands older than 0.1 s, so 20 is its least.
        max_rate_hz: Ceiling.
        samples_per_action: Samples of the stream to an action.
        smoothing: Weight of the newest interval in the mean, in (0, 1].

    Raises:
        ValueError: When a value is outside its range.
    """

    def __init__(
        self,
        min_rate_hz: float,
        max_rate_hz: float,
        samples_per_action: float,
        smoothing: float = 0.2,
    ) -> None:
        if not 0 < min_rate_hz <= max_rate_hz or not isfinite(max_rate_hz):
            raise ValueError(
                f'rates are {min_rate_hz} to {max_rate_hz} Hz, expected 0 < min <= max, finite'
            )
        if not 0 < samples_per_action < float('inf'):
            raise ValueError(f'samples_per_action is {samples_per_action}, expected above 0')
        if not 0 < smoothing <= 1:
            raise ValueError(f'smoothing is {smoothing}, expected in (0, 1]')
        self._min_rate_hz = min_rate_hz
        self._max_rate_hz = max_rate_hz
        self._samples = samples_per_action
        self._smoothing = smoothing
        self.reset()

    def reset(self) -> None:
        """Forget the intervals seen; the rate is the floor until an action comes."""
        self._last_ns: int | None = None
        self._interval_s: float | None = None

    def on_action(self, now_ns: int, step_s: float) -> None:
        """Take note that an action came.

        An interval is counted as one period of the floor's worth of samples at most, so that a
        pause does not slow the stream for many actions after it.

        Args:
            now_ns: Monotonic time, nanoseconds.
            step_s: The action's policy step: the interval to expect before one was seen, s.
        """
        if self._interval_s is None:
            self._interval_s = step_s
        if self._last_ns is not None:
            interval = min((now_ns - self._last_ns) * 1e-9, self._samples / self._min_rate_hz)
            if interval > 0:
                self._interval_s += self._smoothing * (interval - self._interval_s)
        self._last_ns = now_ns

    @property
    def rate_hz(self) -> float:
        """The stream's rate, Hz."""
        if self._interval_s is None:
            return self._min_rate_hz
        rate = self._samples / self._interval_s
        return min(max(rate, self._min_rate_hz), self._max_rate_hz)

    @property
    def period_s(self) -> float:
        """The stream's period, seconds."""
        return 1.0 / self.rate_hz
