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

"""A policy server in openpi's websocket protocol: several clients, one model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
import http
import signal
import time
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from vla_accel_ros.models.prediction import NotFiniteError
from vla_accel_ros.remote.errors import one_line
from vla_accel_ros.remote.session import BadObservationError, Session
from vla_accel_ros.remote.wire import MOST_BYTES, WireError, pack, unpack

HEALTH = '/healthz'
Say = Callable[[str], object]


class PolicyServer:
    """Serves a policy until it is asked to end.

    The model runs in one thread; the network goes on meanwhile, so that a client that has gone
    is found, and others can connect.

    Args:
        new_session: Makes what answers one client; called in the model's thread.
        metadata: Sent to each client when it connects.
        executor: The model's thread.
        most_clients: How many may be connected.
        say: Told who comes and goes, and what fails.
    """

    def __init__(
        self,
        new_session: Callable[[], Session],
        metadata: Mapping[str, Any],
        executor: Executor,
        most_clients: int,
        say: Say,
    ) -> None:
        self._new_session, self._metadata = new_session, pack(dict(metadata))
        self._executor, self._most, self._say = executor, most_clients, say
        self._clients = 0

    async def run(self, host: str, port: int, started: Callable[[str, int], object]) -> int:
        """Serve until SIGINT or SIGTERM.

        Args:
            host: Address to listen at.
            port: 0 takes a free one.
            started: Told address and port, once clients can connect.

        Returns:
            The signal that ended it.

        Raises:
            OSError: When the address cannot be had.
        """
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(signum, _end, ended, signum)
        async with serve(
            self._serve_client,
            host,
            port,
            compression=None,
            max_size=MOST_BYTES,
            process_request=_health,
            close_timeout=1.0,
        ) as server:
            started(*_address(server))
            return await ended

    async def _serve_client(self, client: ServerConnection) -> None:
        name = _name(client)
        if self._clients >= self._most:
            await client.send(f'the server has {self._most} clients, the most that it takes')
            await client.close(CloseCode.TRY_AGAIN_LATER, 'too many clients')
            return
        self._clients += 1
        self._say(f'{name} connected')
        try:
            session = await self._in_model(self._new_session)
            await client.send(self._metadata)
            before_ms = None
            async for message in client:
                start = time.perf_counter()
                await client.send(await self._answer(session, message, before_ms))
                before_ms = (time.perf_counter() - start) * 1e3
        except ConnectionClosed:
            pass
        except Exception as error:
            # A defect of ours: the client is told, and the next one served.
            self._say(f'{name}: {type(error).__name__}: {error}')
            await _tell(client, f'{type(error).__name__}: {error}')
            raise
        finally:
            self._clients -= 1
            self._say(f'{name} gone')

    async def _answer(
        self, session: Session, message: str | bytes, before_ms: float | None
    ) -> str | bytes:
        """Answer a message; a text says what is wrong with it."""
        if isinstance(message, str):
            return 'the message is a text, expected an observation as msgpack'
        try:
            observation = unpack(message)
            start = time.perf_counter()
            answer = await self._in_model(lambda: session.answer(observation))
        except (WireError, BadObservationError, NotFiniteError) as error:
            # It may quote the client.
            why = one_line(str(error))
            self._say(f'refused: {why}')
            return why
        timing = {'infer_ms': (time.perf_counter() - start) * 1e3}
        if before_ms is not None:
            timing['prev_total_ms'] = before_ms
        return pack({**answer, 'server_timing': timing})

    def _in_model(self, function: Callable[[], Any]) -> Awaitable[Any]:
        return asyncio.get_running_loop().run_in_executor(self._executor, function)


def _end(ended: asyncio.Future[int], signum: int) -> None:
    if not ended.done():
        ended.set_result(signum)


def _health(client: ServerConnection, request: Request) -> Response | None:
    """Answer a load balancer's question for health; all else is the protocol."""
    if request.path == HEALTH:
        return client.respond(http.HTTPStatus.OK, 'OK\n')
    if 'Upgrade' in request.headers:
        return None
    body = b"a policy server in openpi's websocket protocol\n"
    headers = Headers({'Content-Type': 'text/plain', 'Content-Length': str(len(body))})
    return Response(426, 'Upgrade Required', headers, body)


async def _tell(client: ServerConnection, text: str) -> None:
    try:
        await client.send(text)
        await client.close(CloseCode.INTERNAL_ERROR, 'the reason is in the last message')
    except ConnectionClosed:
        pass


def _address(server: Server) -> tuple[str, int]:
    host, port, *_ = next(iter(server.sockets)).getsockname()
    return str(host), int(port)


def _name(client: ServerConnection) -> str:
    host, port, *_ = client.remote_address
    return f'{host}:{port}'
