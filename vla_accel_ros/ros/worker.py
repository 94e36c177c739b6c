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


"""A thread for what takes longer than a callback may, with a newest-wins slot; no ROS in it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
import os
import threading
from typing import Generic, TypeVar

Job = TypeVar('Job')


class Worker(Generic[Job]):
    """One thread that does one job at a time; of the jobs that wait only the newest is kept.

    So it is never more than one job behind. `call` runs something else in the same thread, in
    turn: torch keeps its thread count, and CUDA its graphs, by thread.

    Args:
        work: Does a job; what it raises goes to `failed`.
        failed: Given what `work` raised.
        name: Of the thread.
        nice: Priority of the thread and of those that it makes, 0 to 19.
    """

    def __init__(
        self,
        work: Callable[[Job], None],
        failed: Callable[[Exception], None],
        name: str,
        nice: int = 0,
    ) -> None:
        self._work, self._failed, self._nice = work, failed, nice
        self._wake = threading.Condition()
        self._job: Job | None = None
        self._calls: list[tuple[Callable[[], object], Future]] = []
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job) -> bool:
        """Hand in a job; return whether it took the place of one that waited."""
        with self._wake:
            replaced = self._job is not None
            self._job = job
            self._wake.notify()
        return replaced

    def discard(self) -> bool:
        """Forget the job that waits; the running one goes on. Return whether there was one."""
        with self._wake:
            waited, self._job = self._job is not None, None
        return waited

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
            self._closed, self._job = True, None
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
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._calls or self._job is not None)
                if self._calls:
                    function, future = self._calls.pop(0)
                    job = None
                elif self._closed:
                    return
                else:
                    job, self._job = self._job, None
            if job is None:
                _answer(function, future)
                continue
            try:
                self._work(job)
            except Exception as error:
                self._failed(error)
            # Holding the last job while waiting would hold its images, too.
            del job


def _answer(function: Callable[[], object], future: Future) -> None:
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)
