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

import pytest

from vla_accel_ros.scheduling.requests import RETIRED_KEPT, Pending, RequestBook


def test_only_one_request_is_open_at_a_time():
    book = RequestBook()
    book.open(Pending(5, 100, 0))
    with pytest.raises(RuntimeError, match='request 5 is open, expected none'):
        book.open(Pending(6, 100, 0))


def test_an_answer_finds_its_request_by_the_stamp():
    book = RequestBook()
    assert book.answered_by(5) is None
    book.open(Pending(5, 100, 2))
    assert book.answered_by(6) is None
    pending = book.answered_by(5)
    assert (pending.stamp_ns, pending.sent_ns, pending.consumed) == (5, 100, 2)
    assert pending is book.pending


def test_age_is_never_negative():
    book = RequestBook()
    book.open(Pending(5, 100, 0))
    assert book.pending.age_s(50) == 0
    assert book.pending.age_s(1_000_000_100) == 1


def test_a_closed_request_says_why_until_its_stamp_is_asked_again():
    book = RequestBook()
    book.close('nothing_to_close')
    book.open(Pending(5, 100, 0))
    book.close('reset')
    assert book.pending is None
    assert book.why_closed(5) == 'reset'
    assert book.why_closed(6) == 'unknown_stamp'
    book.open(Pending(5, 200, 0))
    assert book.why_closed(5) == 'unknown_stamp'


def test_the_memory_of_closed_requests_is_bounded():
    book = RequestBook()
    for stamp in range(RETIRED_KEPT + 1):
        book.open(Pending(stamp, stamp, 0))
        book.close('reset')
    assert book.why_closed(0) == 'unknown_stamp'
    assert book.why_closed(1) == 'reset'
