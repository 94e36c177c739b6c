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

"""Targets in processes of their own, here or on a cluster: several settings are tried at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from vla_accel_ros.acceleration import Method
from vla_accel_ros.cluster.connection import Cluster
from vla_accel_ros.cluster.sending import Sent, places
from vla_accel_ros.cluster.workers import ClusterWorkers
from vla_accel_ros.tuning.target import Plan, Run, Stop, Stopped, Target
from vla_accel_ros.workers import Workers, asked_to_end

_target: Target | None = None


def _begin(plan: Plan, baseline: dict) -> None:
    global _target
    _target = plan.build(baseline, asked_to_end)


def _begin_there(plan: Plan, sent: Sequence[Sent], baseline: dict) -> None:
    _begin(plan.at(places(sent)), baseline)


def _measure(method: Method) -> Run | None:
    try:
        return _target.measure(method, asked_to_end)
    except Stopped:
        return None


class Pool:
    """Tries settings, in this process or in several.

    Args:
        here: A target in this process.
        workers: The others; None for this one.
        stop: Whether to end.
    """

    def __init__(self, here: Target, workers: Workers | ClusterWorkers | None, stop: Stop) -> None:
        self._here, self._workers, self._stop = here, workers, stop

    def submit(self, method: Method) -> Future:
        """Begin to try a setting; the future holds its run, None where it was stopped."""
        if self._workers is not None:
            return self._workers.submit(_measure, method)
        future: Future = Future()
        try:
            future.set_result(self._here.measure(method, self._stop))
        except Stopped:
            future.set_result(None)
        return future

    def wait(self, futures: set[Future]) -> set[Future]:
        """Wait until some have ended; return those.

        Raises:
            Stopped: When it is time to end, and none of them has ended.
        """
        if self._workers is None:
            return futures
        ended = self._workers.wait(futures)
        if self._stop():
            ended |= self._workers.ask_to_end(futures)
        if not ended:
            raise Stopped
        return ended


@contextmanager
def pool(
    plan: Plan, here: Target, workers: int, stop: Stop, cluster: Cluster | None = None
) -> Iterator[Pool]:
    """Give a pool of so many processes.

    Args:
        plan: What each of them builds.
        here: The target in this process, which knows the baseline.
        workers: How many; 1 for this process alone.
        stop: Whether to end.
        cluster: Where they run; on this machine where None.
    """
    if cluster is not None:
        arguments = plan, cluster.send(plan.paths()), here.baseline
        team = cluster.workers(workers, _begin_there, arguments, stop)
    elif workers > 1:
        team = Workers(workers, _begin, (plan, here.baseline), stop)
    else:
        yield Pool(here, None, stop)
        return
    with team as processes:
        yield Pool(here, processes, stop)
