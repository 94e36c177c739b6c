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

"""Reconnecting: at once after a refusal, later and later after failures."""

import pytest

from vla_accel_ros.remote.connection import FIRST_WAIT_S, LONGEST_WAIT_S, Connection
from vla_accel_ros.remote.errors import (
    RemoteDownError,
    RemoteMismatchError,
    RemoteRefusedError,
    RemoteTimeoutError,
)


class Link:
    """Answers, or raises what it is told to."""

    metadata: dict = {}

    def __init__(self, error=None):
        self.error, self.closed = error, False

    def ask(self, observation, timeout_s):
        if self.error:
            raise self.error
        return observation

    def close(self):
        self.closed = True


class Rig:
    """A connection whose links and clock are the test's."""

    def __init__(self, *links, accept=lambda link: None):
        self.now, self.opened, self.links = 0.0, 0, list(links)
        self.connection = Connection(self._open, accept, lambda: self.now)

    def _open(self):
        self.opened += 1
        link = self.links.pop(0)
        if isinstance(link, Exception):
            raise link
        return link

    def ask(self):
        return self.connection.ask(lambda: {'a': 1}, 1.0)


def test_one_link_serves_all_questions():
    rig = Rig(Link())
    assert [rig.ask(), rig.ask()] == [{'a': 1}] * 2
    assert rig.opened == 1 and rig.connection.trouble == ''


def test_after_a_failure_it_waits_twice_as_long_each_time_up_to_a_bound():
    rig = Rig(*[RemoteDownError('gone')] * 9, Link())
    waits = []
    for _ in range(9):
        with pytest.raises(RemoteDownError, match=r'^gone$'):
            rig.ask()
        began = rig.now
        with pytest.raises(RemoteDownError, match='gone; the next try is in'):
            rig.ask()
        while rig.connection._next > rig.now:
            rig.now += 0.05
        waits.append(rig.now - began)
    assert waits[0] == pytest.approx(FIRST_WAIT_S, abs=0.06)
    assert waits == sorted(waits) and waits[-1] == pytest.approx(LONGEST_WAIT_S, abs=0.06)
    assert rig.ask() == {'a': 1} and rig.connection.trouble == ''


@pytest.mark.parametrize('error', [RemoteDownError('broke'), RemoteTimeoutError('late')])
def test_a_link_that_fails_is_closed_and_made_anew(error):
    bad = Link(error)
    rig = Rig(bad, Link())
    with pytest.raises(type(error)):
        rig.ask()
    assert bad.closed and rig.connection.trouble == str(error)
    rig.now += LONGEST_WAIT_S
    assert rig.ask() == {'a': 1} and rig.connection.links == 2


def test_a_refusal_is_no_reason_to_wait():
    rig = Rig(Link(RemoteRefusedError('no such key')), Link())
    with pytest.raises(RemoteRefusedError):
        rig.ask()
    assert rig.ask() == {'a': 1} and rig.connection.trouble == ''


def test_a_server_that_does_not_fit_is_not_kept():
    def accept(_link):
        raise RemoteMismatchError('two views')

    link = Link()
    rig = Rig(link, accept=accept)
    with pytest.raises(RemoteMismatchError):
        rig.ask()
    assert link.closed and rig.connection.trouble == 'two views'
