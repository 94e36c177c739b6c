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

"""Reading ahead in a thread."""

import threading

import pytest

from vla_accel_ros.replay.ahead import Ahead


def test_items_come_in_their_order_and_the_thread_ends():
    with Ahead(range(100), depth=3) as ahead:
        assert list(ahead) == list(range(100))
    assert threading.current_thread() is threading.main_thread()
    assert all(thread.name != 'ahead' for thread in threading.enumerate())


def test_never_more_than_its_depth_is_made_ahead():
    made, taken = [], threading.Semaphore(0)

    def source():
        for k in range(20):
            made.append(k)
            taken.release()
            yield k

    with Ahead(source(), depth=4) as ahead:
        items = iter(ahead)
        assert next(items) == 0
        for _ in range(6):
            taken.acquire(timeout=10)
        # One in hand, four waiting, one that finds no room.
        assert made == list(range(6))


def test_what_the_source_raises_comes_after_what_it_made():
    def source():
        yield 1
        raise ValueError('the bag ends here')

    with Ahead(source()) as ahead:
        items = iter(ahead)
        assert next(items) == 1
        with pytest.raises(ValueError, match='the bag ends here'):
            next(items)


def test_a_source_that_nobody_wants_any_more_is_closed_in_its_own_thread():
    closed_by = []

    def source():
        try:
            yield from iter(int, 1)
        finally:
            closed_by.append(threading.current_thread().name)

    with Ahead(source(), depth=2) as ahead:
        assert next(iter(ahead)) == 0
    assert closed_by == ['ahead']
