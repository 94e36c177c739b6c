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


"""The newest-wins worker."""

import threading

import pytest

from vla_accel_ros.ros.worker import Worker


class Bench:
    """A worker whose jobs wait to be let go."""

    def __init__(self):
        self.done, self.errors = [], []
        self.started, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.together = []
        self.worker = Worker(self.work, lambda error, job: self.errors.append(error), 'bench')

    def work(self, jobs):
        self.started.release()
        assert self.go.acquire(timeout=10)
        self.together.append(len(jobs))
        self.done += [job for job in jobs if not isinstance(job, Exception)]
        return [job if isinstance(job, Exception) else None for job in jobs]

    def finish(self):
        assert self.worker.close(10)


def test_of_the_jobs_that_wait_only_the_newest_is_done():
    bench = Bench()
    assert bench.worker.put(1) is False
    assert bench.started.acquire(timeout=10)
    assert [bench.worker.put(n) for n in (2, 3, 4)] == [False, True, True]
    bench.go.release(2)
    assert bench.started.acquire(timeout=10)
    bench.worker.call(lambda: None).result(10)
    bench.finish()
    assert bench.done == [1, 4]


def test_a_discarded_job_is_not_done_and_the_running_one_is():
    bench = Bench()
    bench.worker.put(1)
    assert bench.started.acquire(timeout=10)
    bench.worker.put(2)
    assert bench.worker.discard() is True
    assert bench.worker.discard() is False
    bench.go.release(2)
    bench.finish()
    assert bench.done == [1]


def test_a_job_that_raises_is_reported_and_the_next_one_done():
    bench = Bench()
    error = ValueError('no')
    bench.go.release(2)
    bench.worker.put(error)
    assert bench.started.acquire(timeout=10)
    bench.worker.call(lambda: None).result(10)
    bench.worker.put(2)
    assert bench.started.acquire(timeout=10)
    bench.finish()
    assert bench.errors == [error]
    assert bench.done == [2]


def test_calls_run_in_the_workers_thread_and_hand_back_what_they_raise():
    bench = Bench()
    assert bench.worker.call(threading.current_thread).result(10).name == 'bench'
    with pytest.raises(ZeroDivisionError):
        bench.worker.call(lambda: 1 / 0).result(10)
    bench.finish()
    with pytest.raises(RuntimeError, match='closed'):
        bench.worker.call(lambda: None)


def test_close_says_when_the_running_job_does_not_end():
    bench = Bench()
    bench.worker.put(1)
    assert bench.started.acquire(timeout=10)
    assert bench.worker.close(0.01) is False
    bench.go.release()
    bench.finish()


def test_jobs_that_wait_together_are_done_together_and_the_newest_of_each_owner():
    bench = Bench()
    bench.worker.most = 2
    bench.worker.put(1, 'a')
    assert bench.started.acquire(timeout=10)
    for owner, job in (('b', 2), ('c', 3), ('a', 4), ('b', 5), ('d', ValueError('no'))):
        bench.worker.put(job, owner)
    assert bench.worker.waits() == 4
    bench.go.release(3)
    for _ in range(2):
        assert bench.started.acquire(timeout=10)
    bench.finish()
    assert bench.done == [1, 5, 3, 4]
    assert bench.together == [1, 2, 2]
    assert [str(error) for error in bench.errors] == ['no']


def test_what_the_work_itself_raises_is_told_of_each_job():
    failed = []

    def work(jobs):
        raise ZeroDivisionError

    worker = Worker(work, lambda error, job: failed.append((type(error), job)), 'bench')
    worker.put(1)
    while not failed:
        worker.call(lambda: None).result(10)
    assert worker.close(10)
    assert failed == [(ZeroDivisionError, 1)]
