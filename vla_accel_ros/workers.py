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

"""Processes that each build something once and then take tasks, until they are asked to end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
import multiprocessing

from vla_accel_ros.stopping import end_with_parent, starting_workers

# How soon a wish to end is passed on to the processes, and how long they have for it.
LOOK_S, GRACE_S = 0.2, 0.5

_flag = None


def asked_to_end() -> bool:
    """Return, in a worker, whether it is asked to leave what it is doing."""
    return _flag is not None and _flag.is_set()


def _start(flag, begin: Callable, arguments: tuple) -> None:
    global _flag
    # Whatever ends the parent ends the workers: each of them holds a model.
    end_with_parent()
    _flag = flag
    begin(*arguments)


class WorkerLostError(RuntimeError):
    """A worker ended on its own."""


class Workers:
    """So many processes, which end with the block.

    Args:
        count: How many; each is started with the first task that has no process.
        begin: Called once in each; importable, as are the tasks.
        arguments: Of it.
        stop: Whether to end.
    """

    def __init__(
        self, count: int, begin: Callable, arguments: tuple, stop: Callable[[], bool]
    ) -> None:
        context = multiprocessing.get_context('spawn')
        self._stop, self._flag = stop, context.Event()
        self._others = set(multiprocessing.active_children())
        self._pool = ProcessPoolExecutor(count, context, _start, (self._flag, begin, arguments))

    def submit(self, task: Callable, *arguments: object) -> Future:
        """Have a process do something."""
        with starting_workers():
            return self._pool.submit(task, *arguments)

    def wait(self, futures: set[Future]) -> set[Future]:
        """Wait until some have ended, or until it is time to end; return those that have.

        Raises:
            WorkerLostError: When a process ended on its own.
        """
        while True:
            ended, _ = wait(futures, LOOK_S, FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in ended):
                raise WorkerLostError(
                    'a worker process ended on its own, mostly for want of memory: take fewer '
                    '--workers'
                )
            if ended or self._stop():
                return ended

    def ask_to_end(self, futures: set[Future]) -> set[Future]:
        """Have all of them leave what they are doing; return what has ended soon after."""
        self._flag.set()
        for future in futures:
            future.cancel()
        return {future for future in wait(futures, GRACE_S).done if not future.cancelled()}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        if kind is None and not self._flag.is_set() and not self._stop():
            self._pool.shutdown()
            return
        self._flag.set()
        for process in set(multiprocessing.active_children()) - self._others:
            process.kill()
        # Only once, and waiting: its thread must be over before the interpreter ends.
        self._pool.shutdown(cancel_futures=True)
