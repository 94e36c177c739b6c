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

"""A connection to a server of openpi's websocket protocol.

The server sends its metadata first. Then each message is an observation and each answer a map
with `actions`; a text instead of bytes is what went wrong at the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
import socket
import struct
import time
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from vla_accel_ros.remote.errors import (
    LONGEST_TEXT,
    RemoteAnswerError,
    RemoteDownError,
    RemoteRefusedError,
    RemoteTimeoutError,
)
from vla_accel_ros.remote.wire import MOST_BYTES, WireError, pack, unpack

CLOSING_S = 0.2


class OpenPiLink:
    """An open connection.

    Args:
        url: Of the server, ws:// or wss://.
        timeout_s: Until which connection and metadata must be there.
        key: Sent as `Authorization: Api-Key`, as `openpi-client` does; empty for none.

    Attributes:
        metadata: What the server tells of itself.

    Raises:
        RemoteDownError: When the server cannot be reached, or is none of this protocol.
    """

    def __init__(self, url: str, timeout_s: float, key: str = '') -> None:
        self._url = url
        # Closed by `close`, which an exception here leaves nothing for.
        self._entered = ExitStack()
        end = time.monotonic() + timeout_s
        try:
            self._socket: ClientConnection = self._entered.enter_context(
                connect(
                    url,
                    compression=None,
                    max_size=MOST_BYTES,
                    open_timeout=timeout_s,
                    close_timeout=CLOSING_S,
                    # openpi's server answers no ping while its model computes.
                    ping_interval=None,
                    proxy=None,
                    additional_headers={'Authorization': f'Api-Key {key}'} if key else None,
                )
            )
        except (OSError, ValueError, WebSocketException) as error:
            raise RemoteDownError(f'{url}: {_why(error)}') from None
        try:
            self.metadata: Mapping[str, Any] = self._receive(end - time.monotonic())
        except (RemoteTimeoutError, RemoteAnswerError, RemoteRefusedError) as error:
            self.close()
            raise RemoteDownError(f'{url}: no metadata of an openpi server: {error}') from None

    def ask(self, observation: Mapping[str, object], timeout_s: float) -> Mapping[str, Any]:
        """Send an observation and wait for its answer.

        After an error but `RemoteRefusedError` the connection is of no use any more: an answer
        that comes late would be taken for the next one's.

        Args:
            observation: Its keys as the server wants them.
            timeout_s: How long to wait.

        Raises:
            RemoteDownError: When the connection breaks.
            RemoteTimeoutError: When no answer comes in time.
            RemoteRefusedError: When the server answers with an error.
            RemoteAnswerError: When the answer is no map.
        """
        end = time.monotonic() + timeout_s
        try:
            # Its descriptor is gone where the server went while nothing was asked.
            _limit_sending(self._socket.socket, timeout_s)
            self._socket.send(pack(dict(observation)))
        except (ConnectionClosed, OSError) as error:
            raise RemoteDownError(f'{self._url}: {_why(error)}') from None
        return self._receive(end - time.monotonic(), timeout_s)

    def close(self) -> None:
        """Close the connection, at the latest after some tenths of a second."""
        self._entered.close()

    def _receive(self, timeout_s: float, limit_s: float | None = None) -> Mapping[str, Any]:
        try:
            message = self._socket.recv(timeout=max(timeout_s, 0.0))
        except TimeoutError:
            took = timeout_s if limit_s is None else limit_s
            raise RemoteTimeoutError(f'{self._url}: no answer within {took:.3g} s') from None
        except (ConnectionClosed, OSError) as error:
            raise RemoteDownError(f'{self._url}: {_why(error)}') from None
        if isinstance(message, str):
            raise RemoteRefusedError(f'{self._url}: {last_line(message)}')
        try:
            found = unpack(message)
        except WireError as error:
            raise RemoteAnswerError(f'{self._url}: {error}') from None
        if not isinstance(found, dict):
            raise RemoteAnswerError(
                f'{self._url}: the answer is {type(found).__name__}, expected a map'
            )
        return found


def last_line(text: str) -> str:
    """Give what a traceback ends with: the error itself."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else 'an error without words')[:LONGEST_TEXT]


def _limit_sending(connection: socket.socket, timeout_s: float) -> None:
    """Have a server that reads nothing break the connection rather than hold it up."""
    seconds, rest = divmod(max(timeout_s, 0.001), 1)
    limit = struct.pack('ll', int(seconds), int(rest * 1e6))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _why(error: Exception) -> str:
    """Give one line on what broke a connection."""
    if isinstance(error, ConnectionClosed) and error.rcvd is None:
        return 'the server closed the connection without a word'
    return ' '.join(str(error).split())[:LONGEST_TEXT] or type(error).__name__
