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


"""Even timing for a node that must not wait for its neighbours: priority and garbage collection.

The command stream shares the cores with an inference that would take them all. What helps, in
this order: a real-time scheduling class where the system permits it, else a better nice value,
and no pause of the garbage collector at a moment of its own choosing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import gc
import os
from pathlib import Path
import time

# Those of arm_command: above every ordinary process, below the controllers of a robot
# (ros2_control uses 50).
FIFO_PRIORITY = 5
NICE = -10


def raise_priority(real_time: bool = True, below: int = 0) -> str:
    """Let every thread of this process run before ordinary ones, as far as is permitted.

    Threads made later inherit it from their parents, so this may be called at any time.

    Args:
        real_time: Try SCHED_FIFO first.
        below: How many steps below arm_command, which must never wait for another node.

    Returns:
        What was reached, for people: 'SCHED_FIFO 5', 'nice -10' or why it is neither.
    """
    fifo, nice = FIFO_PRIORITY - below, NICE + below
    try:
        if real_time:
            scheduling = os.sched_param(fifo)
            _for_each_thread(lambda t: os.sched_setscheduler(t, os.SCHED_FIFO, scheduling))
            return f'SCHED_FIFO {fifo}'
    except OSError:
        # Not permitted (see `ulimit -r`): the next best.
        pass
    try:
        _for_each_thread(lambda t: os.setpriority(os.PRIO_PROCESS, t, nice))
        return f'nice {nice}'
    except OSError as error:
        return f'nice {os.getpriority(os.PRIO_PROCESS, 0)}: {error.strerror}'


class GarbageCollection:
    """Collect when asked instead of in the middle of something; what exists stays out of it."""

    def take_over(self) -> None:
        """Switch the collector's own timing off."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def collect(self) -> None:
        """Collect what came since; under a millisecond when called every second or so."""
        gc.collect()

    def give_back(self) -> None:
        """Let the collector choose its moments again."""
        gc.unfreeze()
        gc.enable()


class Lateness:
    """How late a periodic callback comes, against the even grid that it is meant to follow.

    Args:
        window: How many calls the figures look back on.
        clock: Monotonic nanoseconds.
    """

    def __init__(self, window: int = 500, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._late_ms: deque[float] = deque(maxlen=window)
        self._clock = clock
        self.restart()

    def restart(self) -> None:
        """Begin a new grid now."""
        self._anchor_ns = self._clock()

    def note(self, period_s: float) -> None:
        """Take note of a call that was due a period after the one before."""
        now_ns, period_ns = self._clock(), round(period_s * 1e9)
        late_ns = now_ns - self._anchor_ns - period_ns
        self._late_ms.append(late_ns / 1e6)
        # A call that was missed altogether is skipped, not made up for.
        self._anchor_ns += period_ns * max(1, (now_ns - self._anchor_ns) // period_ns)

    def figures(self) -> dict[str, float]:
        """Return `late_ms_p50`, `late_ms_p99` and `late_ms_max`, milliseconds; empty at first."""
        if not self._late_ms:
            return {}
        ordered = sorted(self._late_ms)
        last = len(ordered) - 1
        return {
            'late_ms_p50': ordered[last // 2],
            'late_ms_p99': ordered[round(last * 0.99)],
            'late_ms_max': ordered[last],
        }


def _for_each_thread(change: Callable[[int], object]) -> None:
    tasks = Path('/proc/self/task')
    threads = [int(entry.name) for entry in tasks.iterdir()] if tasks.is_dir() else [0]
    for thread in threads:
        try:
            change(thread)
        except ProcessLookupError:
            # It ended meanwhile.
            continue
