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

"""The search itself: every method gets its trials, whatever becomes of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
import time

from vla_accel_ros.cluster.connection import Cluster
from vla_accel_ros.tuning.points import Point
from vla_accel_ros.tuning.pool import Pool, pool
from vla_accel_ros.tuning.shared import Shared
from vla_accel_ros.tuning.spaces import Space
from vla_accel_ros.tuning.store import Folder
from vla_accel_ros.tuning.study import Study, Ticket
from vla_accel_ros.tuning.target import Plan, Stop, Stopped

# How often a command that waits for others looks, seconds.
OTHERS_S = 1.0


@dataclass
class Found:
    """What a search has so far.

    Attributes:
        baseline: How the unaccelerated policy does; None where that is not known yet.
        points: All settings tried, by method in the order of the trials.
        missing: How many are still to be tried.
    """

    baseline: dict | None
    points: list[Point]
    missing: int

    @property
    def complete(self) -> bool:
        """Whether all were tried."""
        return not self.missing


def search(
    plan: Plan,
    spaces: Sequence[Space],
    store: Folder | Shared,
    trials: int,
    seed: int,
    workers: int,
    show: Callable[[int], None],
    stop: Stop,
    cluster: Cluster | None = None,
) -> Found:
    """Try settings until each method has had its trials, or it is enough.

    Args:
        plan: What is tuned on.
        spaces: What is searched.
        store: Where trials are kept; those that are there count, and those of other commands.
        trials: Of each method.
        seed: Of the draws.
        workers: Processes.
        show: Told how many trials are done.
        stop: Asked whether to end; what is under way then is not kept.
        cluster: Where the processes run; on this machine where None.
    """
    studies = [Study(space, store, seed, workers > 1) for space in spaces]

    def found() -> Found:
        points = [point for study in studies for point in study.points()]
        # Commands that share a search may try one more of a method than it was to have.
        missing = sum(max(trials - study.done, 0) for study in studies)
        return Found(store.baseline, points, missing)

    if found().complete and store.baseline is not None:
        return found()
    show(len(found().points))
    try:
        here = plan.build(store.baseline, stop)
        store.baseline = here.baseline
        if store.baseline != here.baseline:
            # Another command was faster; all settings are compared with the same.
            here = plan.build(store.baseline, stop)
    except Stopped:
        return found()
    with suppress(Stopped), pool(plan, here, workers, stop, cluster) as processes:
        _run(studies, trials, processes, workers, show, stop)
    return found()


def _run(
    studies: Sequence[Study],
    trials: int,
    processes: Pool,
    workers: int,
    show: Callable[[int], None],
    stop: Stop,
) -> None:
    under_way: dict[Future, Ticket] = {}

    def shown() -> None:
        show(sum(study.done for study in studies))

    try:
        while True:
            while len(under_way) < workers and not stop():
                study = _next(studies, trials)
                if study is None:
                    break
                ticket = study.ask()
                known = study.known(ticket.values)
                if known is None:
                    under_way[processes.submit(ticket.method)] = ticket
                    continue
                # The same values again would say the same again.
                ticket.tell(known)
                shown()
            if under_way:
                for future in processes.wait(set(under_way)):
                    run = future.result()
                    under_way.pop(future).tell(run and run.score())
                    shown()
            elif stop() or all(study.done >= trials for study in studies):
                return
            else:
                # Others are at the last ones, which come back here where those others die.
                time.sleep(OTHERS_S)
                shown()
    finally:
        for ticket in under_way.values():
            ticket.tell(None)


def _next(studies: Sequence[Study], trials: int) -> Study | None:
    """Return whose turn it is: the methods take turns, so that all of them get as far."""
    begun = [(study.begun, place) for place, study in enumerate(studies)]
    least, place = min(begun)
    return studies[place] if least < trials else None
