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

"""OpenVLA's REST server: each question a POST to `/act`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
import http.client
import socket
from threading import Timer
import time
from typing import Any
from urllib.parse import urlsplit

from vla_accel_ros.remote.errors import (
    RemoteAnswerError,
    RemoteDownError,
    RemoteRefusedError,
    RemoteTimeoutError,
)
from vla_accel_ros.remote.json_wire import dumps, loads
from vla_accel_ros.remote.openpi import last_line
from vla_accel_ros.remote.wire import MOST_BYTES, WireError

PIECE = 2**16


class ActLink:
    """A server that is asked by POST; there is nothing to connect to.

    Args:
        url: http:// or https://; without a path `/act` is meant.
        timeout_s: For the same arguments as other links; a question has its own.
        key: Sent as `Authorization: Bearer`; empty for none.

    Attributes:
        metadata: Empty: the protocol has none.
    """

    def __init__(self, url: str, timeout_s: float, key: str = '') -> None:
        self._url = url if urlsplit(url).path.strip('/') else f'{url.rstrip("/")}/act'
        self._headers = {'Content-Type': 'application/json'}
        if key:
            self._headers['Authorization'] = f'Bearer {key}'
        self.metadata: Mapping[str, Any] = {}

    def ask(self, observation: Mapping[str, object], timeout_s: float) -> Mapping[str, Any]:
        """Send an observation and wait for its answer.

        Args:
            observation: Its keys as the server wants them.
            timeout_s: How long to wait.

        Returns:
            The answer; one that is no map, as OpenVLA's, is that of the key `actions`.

        Raises:
            RemoteDownError: When the server cannot be reached.
            RemoteTimeoutError: When no answer comes in time.
            RemoteRefusedError: When the server answers with an error.
            RemoteAnswerError: When the answer cannot be read.
        """
        body = self._post(dumps(dict(observation)).encode(), timeout_s)
        try:
            found = loads(body)
        except WireError as error:
            raise RemoteAnswerError(f'{self._url}: {error}') from None
        if isinstance(found, str):
            # OpenVLA's server logs what went wrong, and answers "error".
            raise RemoteRefusedError(f'{self._url}: {last_line(found)}')
        return found if isinstance(found, dict) else {'actions': found}

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def _post(self, body: bytes, timeout_s: float) -> bytes:
        """Send a body and return that of the answer, all within the time."""
        end, url = time.monotonic() + timeout_s, urlsplit(self._url)
        secure = url.scheme == 'https'
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        # Without a proxy: one of the surroundings is not meant for a robot's own network.
        link, watch = kind(url.hostname or '', url.port, timeout=timeout_s), None
        try:
            link.connect()
            # The time-out of a socket is for each of its steps, this one for all together.
            watch = Timer(end - time.monotonic(), _cut, (link.sock,))
            watch.start()
            target = url.path + (f'?{url.query}' if url.query else '')
            link.request('POST', target, body, self._headers)
            answer = self._read(link.getresponse())
            late = time.monotonic() > end
        except (OSError, http.client.HTTPException) as error:
            late = isinstance(error, TimeoutError) or time.monotonic() > end
            if not late:
                why = ' '.join(str(error).split()) or type(error).__name__
                raise RemoteDownError(f'{self._url}: {why}') from None
        finally:
            if watch is not None:
                watch.cancel()
            link.close()
        if late:
            raise RemoteTimeoutError(f'{self._url}: no answer within {timeout_s:.3g} s')
        return answer

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        if response.status != http.HTTPStatus.OK:
            raise RemoteRefusedError(f'{self._url}: {response.status} {response.reason}')
        body = b''
        while piece := response.read1(PIECE):
            body += piece
            if len(body) > MOST_BYTES:
                raise RemoteAnswerError(f'{self._url}: more than {MOST_BYTES} bytes')
        if response.length:
            raise http.client.IncompleteRead(body, response.length)
        return body


def _cut(link: socket.socket) -> None:
    """End whatever waits for a connection."""
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
