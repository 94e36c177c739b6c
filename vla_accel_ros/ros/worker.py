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


"""A thread for what takes longer than a callback may, with newest-wins slots; no ROS in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
import os
import threading
import time
from typing import Generic, TypeVar

from vla_accel_ros.ros.turns import Turns

Job = TypeVar('Job')


class Worker(Generic[Job]):
    """One thread that does what waits; of the jobs of one owner only the newest is kept.

    So no owner is ever more than one job behind. Jobs that wait together are done together, those
    that have waited longest first. `call` runs something else in the same thread, in turn: torch
    keeps its thread count, and CUDA its graphs, by thread.

    Args:
        work: Does jobs, and gives what each of them raised; what it raises itself is of all.
        failed: Given what a job raised, and the job.
        name: Of the thread.
        nice: Priority of the thread and of those that it makes, 0 to 19.

    Attributes:
        most: Jobs that are done together at most.
        bound: Longest that a job waits for those of others that came lately, seconds.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Job]], Sequence[Exception | None]],
        failed: Callable[[Exception, Job], None],
        name: str,
        nice: int = 0,
    ) -> None:
        self._work, self._failed, self._nice = work, failed, nice
        self.most, self.bound = 1, 0.0
        self._wake = threading.Condition()
        self._turns: Turns[Job] = Turns()
        self._calls: list[tuple[Callable[[], object], Future]] = []
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job, owner: Hashable = '') -> bool:
        """Hand in a job; return whether it took the place of one that waited."""
        with self._wake:
            replaced = self._turns.put(owner, job, time.monotonic())
            self._wake.notify()
        return replaced

    def discard(self, owner: Hashable = '') -> bool:
        """Forget an owner and its job that waits; return whether there was one.

        The one that runs goes on.
        """
        with self._wake:
            return self._turns.discard(owner)

    def waits(self) -> int:
        """Return how many jobs wait."""
        with self._wake:
            return len(self._turns)

    def call(self, function: Callable[[], object]) -> Future:
        """Run a function in the worker's thread, before any job that waits."""
        future: Future = Future()
        with self._wake:
            if self._closed:
                raise RuntimeError('the worker is closed')
            self._calls.append((function, future))
            self._wake.notify()
        return future

    def close(self, timeout_s: float | None = None) -> bool:
        """End the thread after what runs; return whether it has ended within the time."""
        with self._wake:
            self._closed = True
            self._turns.clear()
            self._wake.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._nice:
            os.setpriority(
                os.PRIO_PROCESS,
                threading.get_native_id(),
                max(self._nice, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())),
            )
        while (found := self._next()) is not None:
            if isinstance(found, list):
                self._do(found)
            else:
                _answer(*found)
            # Holding the last jobs while waiting would hold their images, too.
            del found

    def _next(self) -> list[Job] | tuple[Callable[[], object], Future] | None:
        """Wait for a call or for jobs that are due; None at the end."""
        with self._wake:
            while True:
                if self._calls:
                    return self._calls.pop(0)
                if self._closed:
                    return None
                now = time.monotonic()
                due = self._turns.due(self.bound, now)
                if due <= now:
                    return self._turns.take(self.most)
                self._wake.wait(None if due == float('inf') else due - now)

    def _do(self, jobs: list[Job]) -> None:
        try:
            raised = self._work(jobs)
        except Exception as error:
            raised = [error] * len(jobs)
        for job, error in zip(jobs, raised, strict=True):
            if error is not None:
                self._failed(error, job)


def _answer(function: Callable[[], object], future: Future) -> None:
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)
