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

"""LeRobot's policy server, asked over gRPC: which policy it loads, then a question at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import time
from typing import Any
from urllib.parse import urlsplit

import grpc
import numpy as np

from vla_accel_ros.remote import lerobot_wire as wire
from vla_accel_ros.remote.errors import (
    LONGEST_TEXT,
    RemoteAnswerError,
    RemoteDownError,
    RemoteError,
    RemoteRefusedError,
    RemoteTimeoutError,
)
from vla_accel_ros.remote.wire import WireError

SERVICE = '/transport.AsyncInference/'
READY, SETUP, ASK, ANSWER = (
    SERVICE + name
    for name in ('Ready', 'SendPolicyInstructions', 'SendObservations', 'GetActions')
)
# A policy that has never answered is loaded again after so long at the earliest.
LOAD_AGAIN_S = 60.0
# Of an answer; 1000 rows whose storages are not shared are smaller.
MOST_BYTES = 16 * 2**20
OPTIONS = (
    ('grpc.max_receive_message_length', MOST_BYTES),
    # A question that is sent twice would be answered twice.
    ('grpc.enable_retries', 0),
    # A proxy of the surroundings is not meant for a robot's own network.
    ('grpc.enable_http_proxy', 0),
    # Else a new channel waits as long as the broken one would.
    ('grpc.use_local_subchannel_pool', 1),
)


class LeRobotServer:
    """A server that keeps one policy; opened again after each error, as `Connection` does it.

    The policy is loaded once: only where the server went, or where it answers nothing any more,
    is it told again what to load.

    Args:
        url: grpc://HOST:PORT.
        timeout_s: Until which opening it must be done.
        load: The message that says what to load, as `lerobot_wire.setup` writes it.
        cameras: Names of the views in a question.
        joints: Names of the state's numbers.

    Attributes:
        metadata: Empty: the protocol has none.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float,
        load: bytes,
        cameras: Sequence[str],
        joints: Sequence[str],
    ) -> None:
        self._url, self._timeout_s = url, timeout_s
        self._load, self._cameras, self._joints = load, tuple(cameras), tuple(joints)
        self._channel: Any = None
        self._loading: Any = None
        self._loading_since, self._step = 0.0, 0
        # Whether it has answered since the policy was loaded.
        self._answered = False
        self.metadata: Mapping[str, Any] = {}

    def open(self) -> LeRobotServer:
        """Have the policy loaded, or have the server forget the questions of before.

        Raises:
            RemoteDownError: When the server cannot be reached, or is still loading.
            RemoteTimeoutError: When it does not answer in time.
            RemoteRefusedError: When it cannot load the policy, or is another kind of server.
        """
        end = time.monotonic() + self._timeout_s
        if self._channel is None:
            self._channel = grpc.insecure_channel(urlsplit(self._url).netloc, OPTIONS)
        if self._loading is None:
            self._call(READY, b'', end)
            self._answered, self._loading_since = False, time.monotonic()
            self._loading = self._channel.unary_unary(SETUP).future(self._load)
        elif self._loading.done():
            self._call(READY, b'', end)
        try:
            self._loading.result(timeout=max(end - time.monotonic(), 0.0))
        except grpc.FutureTimeoutError:
            took = time.monotonic() - self._loading_since
            raise RemoteDownError(
                f'{self._url}: the server is loading its policy, for {took:.0f} s now'
            ) from None
        except (grpc.FutureCancelledError, AttributeError):
            raise self._closed() from None
        except grpc.RpcError as error:
            self._loading = None
            raise self._error(error) from None
        return self

    def ask(self, observation: Mapping[str, object], timeout_s: float) -> Mapping[str, Any]:
        """Send an observation and wait for its answer; what answers another is passed over.

        Args:
            observation: The views, `observation.state` and the task.
            timeout_s: How long to wait.

        Returns:
            `actions` [n, columns], as the server gives them.

        Raises:
            RemoteDownError: When the connection breaks.
            RemoteTimeoutError: When no answer comes in time.
            RemoteRefusedError: When the server answers with nothing, or with an error.
            RemoteAnswerError: When the answer cannot be read.
        """
        end = time.monotonic() + timeout_s
        # The server compares its clock with it for its log only.
        self._step, stamp = self._step + 1, time.time()
        question = wire.observation(self._raw(observation), self._step, stamp)
        self._call(ASK, wire.pieces(question), end, timeout_s)
        try:
            while True:
                answer = wire.read_bytes(self._call(ANSWER, b'', end, timeout_s), 1)
                if not answer:
                    raise self._nothing()
                rows = wire.read_actions(answer, self._step, stamp)
                if rows is not None:
                    self._answered = True
                    return {'actions': rows}
        except WireError as error:
            raise RemoteAnswerError(f'{self._url}: {error}') from None

    def close(self) -> None:
        """Do nothing: the server keeps its policy for when it is opened again."""

    def shut(self) -> None:
        """Close the connection for good."""
        channel, self._channel, self._loading = self._channel, None, None
        if channel is not None:
            channel.close()

    def _raw(self, observation: Mapping[str, object]) -> dict[str, object]:
        state = np.asarray(observation[wire.STATE], np.float64)
        found: dict[str, object] = dict(zip(self._joints, state.tolist(), strict=True))
        found |= {camera: observation[camera] for camera in self._cameras}
        return {**found, wire.TASK: observation[wire.TASK]}

    def _call(self, method: str, message: Any, end: float, limit_s: float | None = None) -> bytes:
        channel = self._channel
        if channel is None:
            raise self._closed()
        call = (channel.unary_unary if isinstance(message, bytes) else channel.stream_unary)(
            method
        )
        try:
            answer: bytes = call(message, timeout=max(end - time.monotonic(), 0.0))
        except grpc.RpcError as error:
            raise self._error(error, limit_s) from None
        except ValueError:
            # What gRPC raises of a channel that is closed.
            raise self._closed() from None
        return answer

    def _closed(self) -> RemoteError:
        return RemoteDownError(f'{self._url}: the connection was closed here')

    def _nothing(self) -> RemoteError:
        """Say that an answer is empty: the policy failed, or a server started anew has none."""
        if self._answered or time.monotonic() - self._loading_since > LOAD_AGAIN_S:
            self._loading = None
        return RemoteRefusedError(
            f'{self._url}: the server gives no actions; its own log says why (are remote_images, '
            'proprio_names and remote_policy_type those of the policy?)'
        )

    def _error(self, error: grpc.RpcError, limit_s: float | None = None) -> RemoteError:
        code, words = error.code(), ' '.join(str(error.details()).split())[:LONGEST_TEXT]
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            took = self._timeout_s if limit_s is None else limit_s
            return RemoteTimeoutError(f'{self._url}: no answer within {took:.3g} s')
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return RemoteAnswerError(f'{self._url}: {words}')
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
            self.shut()
            return RemoteDownError(f'{self._url}: {words}')
        return RemoteRefusedError(f'{self._url}: {words}')
