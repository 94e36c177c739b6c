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
import http.client
import time
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

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
        # A proxy of the surroundings is not meant for a robot's own network.
        self._opener = build_opener(ProxyHandler({}))
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
        end = time.monotonic() + timeout_s
        request = Request(self._url, dumps(dict(observation)).encode(), self._headers)
        late = RemoteTimeoutError(f'{self._url}: no answer within {timeout_s:.3g} s')
        try:
            with self._opener.open(request, timeout=timeout_s) as response:
                body = self._read(response, end, late)
        except HTTPError as error:
            with error:
                raise RemoteRefusedError(f'{self._url}: {error.code} {error.reason}') from None
        except TimeoutError:
            raise late from None
        except (URLError, OSError, http.client.HTTPException) as error:
            reason = getattr(error, 'reason', error)
            if isinstance(reason, TimeoutError):
                raise late from None
            raise RemoteDownError(f'{self._url}: {reason or type(error).__name__}') from None
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

    def _read(self, response: http.client.HTTPResponse, end: float, late: Exception) -> bytes:
        body = b''
        while piece := response.read1(PIECE):
            body += piece
            if time.monotonic() > end:
                raise late
            if len(body) > MOST_BYTES:
                raise RemoteAnswerError(f'{self._url}: more than {MOST_BYTES} bytes')
        return body
