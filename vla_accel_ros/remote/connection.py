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

"""A server that may come and go: connected when it is asked, and again after longer waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import time
from typing import Any, Protocol

from vla_accel_ros.remote.errors import RemoteDownError, RemoteError, RemoteRefusedError

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 5.0


class Link(Protocol):
    """An open connection; `openpi.OpenPiLink` and `act.ActLink` are."""

    metadata: Mapping[str, Any]

    def ask(self, observation: Mapping[str, object], timeout_s: float) -> Mapping[str, Any]:
        """Send an observation and wait for its answer."""

    def close(self) -> None:
        """Close the connection."""


class Connection:
    """Keeps a link open, and opens it again where it broke.

    Args:
        open_link: Makes a link; raises a RemoteError.
        accept: Told of each new link; raises a RemoteError when it cannot be used.
        clock: Monotonic seconds.

    Attributes:
        trouble: Why there is no link; empty while there is one, and before the first try.
        links: How many links were opened.
    """

    def __init__(
        self,
        open_link: Callable[[], Link],
        accept: Callable[[Link], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._accept, self._clock = open_link, accept, clock
        self._link: Link | None = None
        self._wait_s, self._next = 0.0, 0.0
        self.trouble, self.links = '', 0

    def ask(self, make: Callable[[], Mapping[str, object]], timeout_s: float) -> Mapping[str, Any]:
        """Ask, after connecting where there is no link.

        Args:
            make: Gives the observation, once there is a link.
            timeout_s: How long to wait for the answer.

        Raises:
            RemoteError: When there is no answer. While it is too early for another try nothing is
                sent, and the reason of the last one is given again.
        """
        link = self.link()
        try:
            answer = link.ask(make(), timeout_s)
        except RemoteError as error:
            # openpi's server closes after an error of its own; a new link costs little.
            self.close()
            if not isinstance(error, RemoteRefusedError):
                self._failed(error)
            raise
        except Exception:
            # Whether an answer is still to come is not known.
            self.close()
            raise
        self._wait_s = 0.0
        return answer

    def link(self) -> Link:
        """Return the open link, or a new one.

        Raises:
            RemoteError: When there is none.
        """
        if self._link is not None:
            return self._link
        early = self._next - self._clock()
        if early > 0:
            raise RemoteDownError(f'{self.trouble}; the next try is in {early:.1f} s')
        link = None
        try:
            link = self._open()
            self._accept(link)
        except RemoteError as error:
            if link is not None:
                link.close()
            self._failed(error)
            raise
        self._link, self.trouble = link, ''
        self.links += 1
        return link

    def close(self) -> None:
        """Close the link; the next question opens another."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _failed(self, error: RemoteError) -> None:
        self._wait_s = min(max(2 * self._wait_s, FIRST_WAIT_S), LONGEST_WAIT_S)
        self._next = self._clock() + self._wait_s
        self.trouble = str(error)
