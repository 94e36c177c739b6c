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

"""Workers that are lost before they have begun, on a Ray whose machines the test chooses."""

from collections import deque
from types import SimpleNamespace

import pytest

from vla_accel_ros.cluster import workers
from vla_accel_ros.cluster.workers import TRIES, ClusterWorkers
from vla_accel_ros.workers import WorkerLostError


class LostError(Exception):
    """What Ray raises where a machine is gone."""


class Remote:
    """A method of an actor."""

    def __init__(self, run):
        self.remote = lambda *arguments: lambda: run(*arguments)


class Actor:
    """A worker, as fit as its machine lets it be."""

    def __init__(self, fit):
        self.fit = fit
        self.hello, self.call = Remote(lambda: 'machine'), Remote(self.run)

    def run(self, function, arguments):
        if not self.fit:
            raise LostError('killed for want of memory')
        return workers.OK, function(*arguments)


class Ray:
    """Hires one actor after the other, as fit as is said; unfit ones after the last."""

    exceptions = SimpleNamespace(
        RayActorError=LostError,
        **{
            name: type(name, (Exception,), {})
            for name in (
                'ActorUnschedulableError',
                'TaskUnschedulableError',
                'WorkerCrashedError',
                'NodeDiedError',
                'LocalRayletDiedError',
                'ObjectLostError',
            )
        },
    )

    def __init__(self, *fit):
        self.fit, self.hired = deque(fit), []

    def remote(self, _class):
        def hire():
            self.hired.append(Actor(self.fit.popleft() if self.fit else False))
            return self.hired[-1]

        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=hire))

    def wait(self, references, num_returns, timeout):
        return references[:num_returns], []

    def get(self, reference):
        return reference()

    def kill(self, _actor):
        pass


def begun():
    return 'begun'


def twice(number):
    return 2 * number


def made(ray, count):
    return ClusterWorkers(ray, {}, count, begun, (), lambda: False)


def until_done(crew, futures):
    left = set(futures)
    while left:
        left -= crew.wait(left)
    return [future.result() for future in futures]


def test_workers_that_all_die_as_they_begin_end_the_run_also_after_one_had_begun():
    ray = Ray(True)
    with made(ray, 1) as crew:
        assert until_done(crew, [crew.submit(twice, 4)]) == [8]
        ray.hired[0].fit = False
        with pytest.raises(WorkerLostError, match='is left, the last 3 were lost before'):
            until_done(crew, [crew.submit(twice, 5)])
    assert len(crew.lost) == 1 + TRIES


def test_where_new_ones_die_as_they_begin_those_that_have_begun_go_on(capsys):
    ray = Ray(True, False)
    with made(ray, 2) as crew:
        assert until_done(crew, [crew.submit(twice, n) for n in range(40)]) == [
            2 * n for n in range(40)
        ]
        assert len(ray.hired) <= 2 + 2 * TRIES
    told = capsys.readouterr().err
    assert told.count('1 of 2 workers go on; the last 6 were lost before they had begun') == 1


def test_one_that_is_lost_at_work_is_replaced_also_after_others_were_given_up():
    ray = Ray(True, *[False] * 2 * TRIES, True)
    with made(ray, 2) as crew:
        assert until_done(crew, [crew.submit(twice, n) for n in range(40)])
        ray.hired[0].fit = False
        assert until_done(crew, [crew.submit(twice, 21)]) == [42]
        assert len(crew.begun) == 2


def test_a_worker_that_begins_makes_up_for_those_that_did_not():
    ray = Ray(False, False, True, *[False] * 2)
    with made(ray, 1) as crew:
        assert until_done(crew, [crew.submit(twice, 1)]) == [2]
        assert crew.lost == ['machine'] * 2 and len(crew.begun) == 1
