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

"""Workers on the machines of a cluster; what a lost one was at is done again elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
import platform
import sys
import time
import traceback

from vla_accel_ros.workers import GRACE_S, LOOK_S, WorkerLostError

# So often a task is tried: one that ends every worker must not end them all.
TRIES = 3
# How long no worker at all may be there, seconds.
PATIENCE_S = 60.0
OK, REFUSED, BROKEN = 'ok', 'refused', 'broken'


class Member:
    """One worker; runs on a machine of the cluster, and answers what became of each call."""

    def hello(self) -> str:
        """Return the machine's name."""
        return platform.node()

    def call(self, function: Callable, arguments: tuple) -> tuple[str, object]:
        """Call something importable."""
        try:
            return OK, function(*arguments)
        except (ValueError, OSError, ModuleNotFoundError) as error:
            return REFUSED, str(error)
        except Exception:
            return BROKEN, traceback.format_exc()


@dataclass(eq=False)
class _Task:
    function: Callable
    arguments: tuple
    future: Future = field(default_factory=Future)
    tries: int = 0


@dataclass(eq=False)
class _Hired:
    """A worker as seen from here: pending until it has a host, then ready once it has begun."""

    actor: object
    host: str = ''
    ready: bool = False
    task: _Task | None = None


class ClusterWorkers:
    """So many workers, which end with the block; the same to use as `workers.Workers`.

    A machine may be lost at any time. What its workers were at is done again by others, and others
    are asked for in their place, which come up as soon as the cluster has room.

    Args:
        ray: The library, connected.
        resources: What each takes of a machine, as Ray's options.
        count: How many.
        begin: Called once in each; importable, as are the tasks.
        arguments: Of it.
        stop: Whether to end.

    Attributes:
        begun: What `begin` has returned, and the machine's name, of each worker that came up.
        lost: The machines' names of those that were lost.
    """

    def __init__(
        self,
        ray,
        resources: dict,
        count: int,
        begin: Callable,
        arguments: tuple,
        stop: Callable[[], bool],
    ) -> None:
        self._ray, self._stop = ray, stop
        self._begin = begin, arguments
        self._hire = ray.remote(Member).options(
            **resources, scheduling_strategy='SPREAD', max_restarts=0, max_task_retries=0
        )
        self._waiting: deque[_Task] = deque()
        self._under_way: dict[object, _Hired] = {}
        self._idle: list[_Hired] = []
        self._count, self._seen = count, time.monotonic()
        # Workers that were lost before they had begun, since the last one that has.
        self._failed = 0
        self.begun: list[tuple[str, object]] = []
        self.lost: list[str] = []

    def submit(self, task: Callable, *arguments: object) -> Future:
        """Have a worker do something."""
        self._waiting.append(_Task(task, arguments))
        return self._waiting[-1].future

    def wait(self, futures: set[Future]) -> set[Future]:
        """Wait until some have ended, or until it is time to end; return those that have.

        Raises:
            ValueError: When a worker refuses to begin; names its machine.
            WorkerLostError: When no worker is left, or what is asked for ends each of them.
        """
        while True:
            ended = {future for future in futures if future.done()}
            if ended or self._stop():
                return ended
            self._turn(LOOK_S)

    def ask_to_end(self, futures: set[Future]) -> set[Future]:
        """Give what is under way a moment; return what has ended. The rest ends with the block."""
        self._waiting.clear()
        until = time.monotonic() + GRACE_S
        while (left := until - time.monotonic()) > 0 and any(h.task for h in self._hired):
            self._turn(left)
        return {future for future in futures if future.done()}

    def __enter__(self) -> ClusterWorkers:
        for _ in range(self._count):
            self._ask_for_one()
        return self

    def __exit__(self, *_) -> None:
        for hired in self._hired:
            try:
                self._ray.kill(hired.actor)
            except Exception:
                # The connection is gone, which is said by then, and with it the workers.
                return

    @property
    def _hired(self) -> list[_Hired]:
        return [*self._under_way.values(), *self._idle]

    def _ask_for_one(self) -> None:
        hired = _Hired(self._hire.remote())
        self._under_way[hired.actor.hello.remote()] = hired

    def _turn(self, seconds: float) -> None:
        """Hand out what waits, and look for so long for what has ended."""
        try:
            while self._waiting and self._idle:
                hired = self._idle.pop()
                hired.task = self._waiting.popleft()
                call = hired.task.function, hired.task.arguments
                self._under_way[hired.actor.call.remote(*call)] = hired
            ready, _ = self._ray.wait(list(self._under_way), num_returns=1, timeout=seconds)
            for reference in ready:
                self._take(reference)
        except ConnectionError as error:
            raise WorkerLostError(f'the connection to the cluster was lost: {error}') from None
        if any(hired.host for hired in self._hired):
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > PATIENCE_S:
            raise WorkerLostError(
                f'no worker has come up on the cluster in {PATIENCE_S:.0f} s: no machine is left, '
                'or others use all of them'
            )

    def _take(self, reference) -> None:
        hired = self._under_way.pop(reference)
        try:
            answer = self._ray.get(reference)
        except lost_errors(self._ray) as error:
            # Of a machine that is gone only the answer may be missing.
            self._ray.kill(hired.actor)
            self._miss(hired, error)
            return
        if not hired.host:
            hired.host = answer
            self._under_way[hired.actor.call.remote(*self._begin)] = hired
            return
        outcome, value = answer
        if not hired.ready:
            if outcome != OK:
                raise _error(hired.host, outcome, value)
            hired.ready, self._failed = True, 0
            self.begun.append((hired.host, value))
        elif outcome == OK:
            hired.task.future.set_result(value)
        else:
            hired.task.future.set_exception(_error(hired.host, outcome, value))
        hired.task = None
        self._idle.append(hired)

    def _miss(self, hired: _Hired, error: Exception) -> None:
        task, name = hired.task, hired.host or 'a machine'
        self.lost.append(name)
        if task is not None:
            task.tries += 1
            if task.tries == TRIES:
                raise WorkerLostError(
                    f'{TRIES} workers were lost at the same task, the last one on {name}: '
                    f'{_reason(error)}'
                )
            self._waiting.appendleft(task)
        again = ', what it was at is done again' if task else ''
        print(f'cluster: a worker on {name} was lost{again}', file=sys.stderr)
        if hired.ready:
            # One that has begun before is replaced, whatever became of others.
            self._ask_for_one()
            return
        self._failed += 1
        if self._failed < TRIES * self._count:
            self._ask_for_one()
            return
        why = f'the last {self._failed} were lost before they had begun: {_reason(error)}'
        if not self._hired:
            raise WorkerLostError(f'no worker is left, {why}')
        left = sum(each.ready for each in self._hired)
        print(f'cluster: {left} of {self._count} workers go on; {why}', file=sys.stderr)


def lost_errors(ray) -> tuple[type, ...]:
    """Return what Ray raises where a machine or a process of it is gone, and nothing else is."""
    raised = ray.exceptions
    return (
        raised.RayActorError,
        raised.ActorUnschedulableError,
        raised.TaskUnschedulableError,
        raised.WorkerCrashedError,
        raised.NodeDiedError,
        raised.LocalRayletDiedError,
        raised.ObjectLostError,
    )


def _error(host: str, outcome: str, text: object) -> Exception:
    return ValueError(f'{host}: {text}') if outcome == REFUSED else RuntimeError(f'{host}: {text}')


def _reason(error: Exception) -> str:
    return ' '.join(str(error).split())[:200]
