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

"""Several inferences in step, so that programs that they call alike run as one.

Each inference runs as it does alone, in a thread of its own, and one thread at a time. Where it
calls a program it waits. Once all of them wait, the calls of those that are least far run, equal
ones joined (`programs.joined`), in the thread that holds the meeting. No family, pruning method or
decoder knows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
import threading

import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Bucket, Engine, Program, Runner, Tensors, call
from vla_accel_ros.engines.programs.joined import Asked, groups, key_of, run_joined

# An arm more costs attention of its own in each layer; so many are still worth a batch.
MOST = 8
Outcome = dict[str, Tensor] | Exception


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A call that an inference waits for.

    Attributes:
        asked: The call.
        engine: What is to run it.
    """

    asked: Asked
    engine: Engine

    @property
    def joins(self) -> bool:
        """Whether it can be joined: other engines keep programs for the shapes of one arm."""
        return self.engine is EAGER and key_of(self.asked) is not None


class _Guest(threading.Thread):
    """A thread in which one inference after the other runs, until each of its calls."""

    def __init__(self, number: int) -> None:
        super().__init__(name=f'arm {number}', daemon=True)
        self._go: SimpleQueue[Callable[[], object] | Outcome | None] = SimpleQueue()
        self._back: SimpleQueue[_Waiting | None] = SimpleQueue()
        self.raised: Exception | None = None
        self.threads = torch.get_num_threads()
        self.start()

    # -- in the thread that holds the meeting -----------------------------------------------------

    def proceed(self, what: Callable[[], object] | Outcome) -> _Waiting | None:
        """Begin a task, or go on with a call's outcome, up to the next call; None at the end."""
        self._go.put(what)
        return self._back.get()

    def leave(self) -> None:
        """End the thread."""
        self._go.put(None)
        self.join()

    # -- in its own thread ------------------------------------------------------------------------

    def run(self) -> None:
        """Run tasks until there is none."""
        _here.guest = self
        while callable(task := self._go.get()):
            self.raised = None
            # Each thread has a number of its own, which it takes when it first computes.
            if torch.get_num_threads() != self.threads:
                torch.set_num_threads(self.threads)
            try:
                task()
            except BaseException as error:  # who asks for the outcome must not wait for ever
                self.raised = error if isinstance(error, Exception) else RuntimeError(repr(error))
            # What it holds is not to be held until the next one comes.
            del task
            self._back.put(None)

    def ask(self, waiting: _Waiting) -> dict[str, Tensor]:
        """Wait for a call's outcome."""
        self._back.put(waiting)
        outcome = self._go.get()
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, dict)
        return outcome


class _Here(threading.local):
    guest: _Guest | None = None


_here = _Here()


class Seat:
    """An engine at a meeting: what runs there is joined, elsewhere it is the engine itself.

    Args:
        engine: What runs programs.
    """

    # As instances have different ones, this is no class variable as in `Engine`.
    name: str

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name, self.precision, self.exact = engine.name, engine.precision, engine.exact

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program; see `Engine.ready`."""
        guest = _here.guest
        if guest is None:
            return self.engine.ready(program, bucket)

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            return guest.ask(_Waiting(Asked(program, given, room), self.engine))

        return run


class Meeting:
    """Runs tasks that infer on a `Seat`, several at a time; used from one thread.

    Args:
        most: Largest number of calls that are joined.

    Attributes:
        joined: Calls that were run, by how many were joined.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._guests: list[_Guest] = []
        self.joined: dict[int, int] = {}

    def run(self, tasks: Sequence[Callable[[], object]]) -> list[Exception | None]:
        """Run tasks in step; a single one runs in this thread.

        Args:
            tasks: Each infers at most once at a time.

        Returns:
            What each of them raised. What one raises, or computes, does not touch another.
        """
        if len(tasks) == 1:
            return [_attempt(tasks[0])]
        while len(self._guests) < len(tasks):
            # Made here, so that they have this thread's priority.
            self._guests.append(_Guest(len(self._guests) + 1))
        guests = self._guests[: len(tasks)]
        for guest in guests:
            guest.threads = torch.get_num_threads()
        with torch.inference_mode():
            waiting: dict[_Guest, _Waiting] = {}
            for guest, task in zip(guests, tasks, strict=True):
                self._proceed(guest, task, waiting)
            while waiting:
                self._round(waiting)
        raised = [guest.raised for guest in guests]
        for guest in guests:
            guest.raised = None
        return raised

    def close(self) -> None:
        """End the threads."""
        while self._guests:
            self._guests.pop().leave()

    def _proceed(
        self, guest: _Guest, what: Callable[[], object] | Outcome, waiting: dict[_Guest, _Waiting]
    ) -> None:
        """Let a guest go on up to a call that can be joined; others run at once."""
        while (found := guest.proceed(what)) is not None and not found.joins:
            what = self._alone(found)
        if found is None:
            waiting.pop(guest, None)
        else:
            waiting[guest] = found

    def _round(self, waiting: dict[_Guest, _Waiting]) -> None:
        """Run the calls of those that are least far."""
        guests = list(waiting)
        asked = [waiting[guest].asked for guest in guests]
        for places in groups(asked, self._most):
            outcomes = self._together([waiting[guests[place]] for place in places])
            for place, outcome in zip(places, outcomes, strict=True):
                self._proceed(guests[place], outcome, waiting)

    def _together(self, calls: Sequence[_Waiting]) -> Sequence[Outcome]:
        if len(calls) > 1:
            try:
                outputs = run_joined([each.asked for each in calls])
            except Exception:
                # Whose fault it is shows where each runs alone, over what was written so far.
                return [self._alone(each) for each in calls]
            self._count(len(calls))
            return outputs
        return [self._alone(calls[0])]

    def _alone(self, waiting: _Waiting) -> Outcome:
        self._count(1)
        asked = waiting.asked
        try:
            return call(waiting.engine, asked.program, asked.given, asked.room)
        except Exception as error:
            return error

    def _count(self, size: int) -> None:
        self.joined[size] = self.joined.get(size, 0) + 1


def _attempt(task: Callable[[], object]) -> Exception | None:
    try:
        task()
    except Exception as error:
        return error
    return None
