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

"""Targets in processes of their own, so that several settings are tried at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
import multiprocessing
import signal

from vla_accel_ros.evaluation.methods import Method

from .target import Plan, Run, Stop, Stopped, Target

# How soon a wish to end is passed on to the processes.
LOOK_S = 0.2

_target: Target | None = None
_stop = None


def _begin(plan: Plan, baseline: dict, stop) -> None:
    global _target, _stop
    # Ctrl-C is the parent's business: it asks the trials under way to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _target, _stop = plan.build(baseline, stop.is_set), stop


def _measure(method: Method) -> Run | None:
    try:
        return _target.measure(method, _stop.is_set)
    except Stopped:
        return None


class Pool:
    """Tries settings, in this process or in several.

    Args:
        here: A target in this process.
        executor: The processes; None for this one.
        flag: An event that asks them to end.
        stop: Whether to end.
    """

    def __init__(self, here: Target, executor, flag, stop: Stop) -> None:
        self._here, self._executor, self._flag, self._stop = here, executor, flag, stop

    def submit(self, method: Method) -> Future:
        """Begin to try a setting; the future holds its run, None where it was stopped."""
        if self._executor is not None:
            return self._executor.submit(_measure, method)
        future: Future = Future()
        try:
            future.set_result(self._here.measure(method, self._stop))
        except Stopped:
            future.set_result(None)
        return future

    def wait(self, futures: set[Future]) -> set[Future]:
        """Wait until some have ended; return those."""
        while True:
            ended, _ = wait(futures, LOOK_S, FIRST_COMPLETED)
            if self._stop() and self._flag is not None:
                self._flag.set()
            if ended:
                return ended


@contextmanager
def pool(plan: Plan, here: Target, workers: int, stop: Stop) -> Iterator[Pool]:
    """Give a pool of so many processes.

    Args:
        plan: What each of them builds.
        here: The target in this process, which knows the baseline.
        workers: How many; 1 for this process alone.
        stop: Whether to end.
    """
    if workers == 1:
        yield Pool(here, None, None, stop)
        return
    context = multiprocessing.get_context('spawn')
    flag = context.Event()
    executor = ProcessPoolExecutor(workers, context, _begin, (plan, here.baseline, flag))
    try:
        yield Pool(here, executor, flag, stop)
    finally:
        flag.set()
        executor.shutdown(cancel_futures=True)
