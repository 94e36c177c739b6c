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

"""What a node tells on `/diagnostics`: named reasons, counters and figures.

A *fault* stands until it is cleared (a silent camera, a failed configure); *advice* stands, too,
but is no reason not to move (a slow camera). An *event* happened and is counted (a garbage
frame, a refused action); it colours the reports that follow it for `memory` seconds, so that a
viewer at 1 Hz cannot miss it. Reasons are short snake_case names that tests, dashboards and
people can rely on; details are for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
import threading
import time

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

# Whose a report on `/diagnostics` is.
HARDWARE_ID = 'vla_accel_ros'
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
# The key of the standing faults with their details, apart from what only happened.
STANDING = 'standing'


class Health:
    """Collects reasons, counters and figures from any thread, and renders them.

    Args:
        memory: For how many seconds an event stays in the message.
        clock: Monotonic seconds.
    """

    def __init__(self, memory: float = 3.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._memory, self._clock = memory, clock
        self._lock = threading.Lock()
        self._faults: dict[str, tuple[bytes, str]] = {}
        self._advice: dict[str, str] = {}
        self._events: dict[str, tuple[bytes, str, float]] = {}
        self._counts: Counter[str] = Counter()
        self._figures: dict[str, str] = {}

    def fault(
        self, reason: str, detail: str = '', level: bytes = ERROR, renew: bool = False
    ) -> bool:
        """Raise a standing fault.

        Args:
            reason: Its name.
            detail: What a person wants to know; the first one stays unless it is renewed.
            level: `WARN` or `ERROR`.
            renew: Whether a newer detail replaces that of the standing fault.

        Returns:
            Whether it was not standing before, so that it can be logged once.
        """
        with self._lock:
            new = reason not in self._faults
            if new or renew:
                self._faults[reason] = (level, detail)
            self._counts[reason] += new
            return new

    def advise(self, reason: str, detail: str) -> bool:
        """Let a warning stand that is no reason not to move, or end it.

        Args:
            reason: Its name.
            detail: What should be changed; empty ends it.

        Returns:
            Whether it is new, so that it can be logged once.
        """
        with self._lock:
            if not detail:
                self._advice.pop(reason, None)
                return False
            new = reason not in self._advice
            self._advice[reason] = detail
            self._counts[reason] += new
            return new

    def clear(self, *reasons: str) -> None:
        """End standing faults and advice; unknown ones are no error."""
        with self._lock:
            for reason in reasons:
                self._faults.pop(reason, None)
                self._advice.pop(reason, None)

    def event(self, reason: str, detail: str = '', level: bytes = WARN, count: int = 1) -> None:
        """Count something that happened and keep the newest detail."""
        with self._lock:
            self._counts[reason] += count
            self._events[reason] = (level, detail, self._clock())

    def count(self, name: str, by: int = 1) -> None:
        """Count something that is no trouble, such as frames forwarded."""
        with self._lock:
            self._counts[name] += by

    def figure(self, name: str, value: object) -> None:
        """Set a figure; floats are shown with four digits."""
        with self._lock:
            self._figures[name] = f'{value:.4g}' if isinstance(value, float) else str(value)

    def forget(self, beginning: str) -> None:
        """Drop the figures and counters whose names begin so, of what is no longer there."""
        with self._lock:
            for kept in (self._figures, self._counts):
                for name in [each for each in kept if each.startswith(beginning)]:
                    del kept[name]

    def total(self, name: str) -> int:
        """Return how often a reason or counter was counted."""
        with self._lock:
            return self._counts[name]

    def standing(self) -> dict[str, str]:
        """Return the standing faults and their details."""
        with self._lock:
            return {reason: detail for reason, (_, detail) in self._faults.items()}

    def status(self, name: str, state: str) -> DiagnosticStatus:
        """Render everything.

        Args:
            name: The node's full name.
            state: The lifecycle state's label; it is the message while nothing is wrong.
        """
        with self._lock:
            now = self._clock()
            self._events = {r: e for r, e in self._events.items() if now - e[2] <= self._memory}
            troubles = [(level, r, d) for r, (level, d) in self._faults.items()]
            troubles += [(WARN, r, d) for r, d in self._advice.items()]
            troubles += [
                (level, r, d) for r, (level, d, _) in self._events.items() if r not in self._faults
            ]
            standing = '; '.join(f'{r}: {d}' if d else r for r, (_, d) in self._faults.items())
            values = {'state': state, **({STANDING: standing} if standing else {})}
            values.update(self._figures)
            values.update((f'count.{k}', str(n)) for k, n in sorted(self._counts.items()))
        troubles.sort(key=lambda t: -t[0][0])
        return DiagnosticStatus(
            level=troubles[0][0] if troubles else OK,
            name=name,
            message='; '.join(f'{r}: {d}' if d else r for _, r, d in troubles) or state,
            hardware_id=HARDWARE_ID,
            values=[KeyValue(key=k, value=v) for k, v in values.items()],
        )
