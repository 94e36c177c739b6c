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

"""An existing Ray cluster: whether it is there, which machines it has, and what they must be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
import re
import socket
import sys

from vla_accel_ros.cluster.facts import Facts, asking, differences, facts
from vla_accel_ros.cluster.sending import Receiver, Sent, files_of, pieces
from vla_accel_ros.cluster.workers import ClusterWorkers, lost_errors

ADDRESS = re.compile(r'ray://([\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})')
# How long the cluster has to answer at all, and each machine to say what it is.
CONNECT_S, ANSWER_S = 10, 60
# The head starts a process for each client, which by gRPC's own word may crash as it is forked.
CONNECTS = 3


class ClusterError(ValueError):
    """There is no such cluster, or it cannot do what is asked."""


@dataclass(frozen=True)
class Machine:
    """One of the cluster's.

    Attributes:
        node: Ray's name for it.
        workers: How many it has room for.
        facts: What it has.
    """

    node: str
    workers: int
    facts: Facts


class Cluster:
    """A connection to a Ray cluster, which ends with the block.

    Args:
        address: `ray://HOST:PORT` of its head.
        device: What the workers compute on: a core each, or with `cuda` a GPU each.

    Attributes:
        machines: Those with room for a worker.

    Raises:
        ClusterError: When there is none, or its machines do not have what this one has.
        ModuleNotFoundError: When Ray is not installed.
    """

    def __init__(self, address: str, device: str = 'cpu') -> None:
        _reach(address)
        import ray

        self.address, self._ray = address, ray
        self.resources = {'num_gpus': 1} if device.startswith('cuda') else {'num_cpus': 1}
        self._connect()
        try:
            self.machines = self._machines()
        except BaseException:
            ray.shutdown()
            raise

    @property
    def room(self) -> int:
        """How many workers there is room for."""
        return sum(machine.workers for machine in self.machines)

    def send(self, paths: Sequence[Path]) -> list[Sent]:
        """Have every machine hold these files and folders."""
        found = [Sent.of(path) for path in paths]
        for sent, path in zip(found, paths, strict=True):
            self.hand_over(sent, path)
        return found

    def workers(
        self, count: int, begin: Callable, arguments: tuple, stop: Callable[[], bool]
    ) -> ClusterWorkers:
        """Return workers on its machines; see `ClusterWorkers`."""
        return ClusterWorkers(self._ray, self.resources, count, begin, arguments, stop)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_) -> None:
        self._ray.shutdown()

    def _connect(self) -> None:
        for left in reversed(range(CONNECTS)):
            try:
                self._ray.init(self.address, log_to_driver=False, logging_level='ERROR')
                return
            except Exception as error:
                # Ray raises what it pleases: RuntimeError for other versions, ConnectionError, ...
                # and half connected it refuses the next connection.
                self._ray.shutdown()
                if not (left and isinstance(error, ConnectionAbortedError)):
                    raise ClusterError(
                        f'no use of the cluster at {self.address}: {_last(error)}'
                    ) from error

    def _machines(self) -> list[Machine]:
        rooms = self._rooms()
        if not rooms:
            kind = 'GPU' if 'num_gpus' in self.resources else 'CPU'
            raise ClusterError(f'no machine of the cluster at {self.address} has a {kind}')
        ask = self._ray.remote(asking())
        asked = {node: ask.options(**self._on(node)).remote() for node in rooms}
        mine, found = facts(), []
        for node, answer in asked.items():
            try:
                theirs = self._ray.get(answer, timeout=ANSWER_S)
            except self._ray.exceptions.GetTimeoutError:
                raise ClusterError(f'machine {node} has not answered in {ANSWER_S} s') from None
            except lost_errors(self._ray):
                # It has died, and the cluster has not taken note of it yet.
                continue
            if isinstance(theirs, str):
                raise ClusterError(f'{theirs}; install the same vla_accel_ros there as here')
            if other := differences(mine, theirs):
                raise ClusterError(f'{theirs.host}: {"; ".join(other)}')
            found.append(Machine(node, rooms[node], theirs))
        return found

    def _rooms(self) -> dict[str, int]:
        kind = 'GPU' if 'num_gpus' in self.resources else 'CPU'
        return {
            node['NodeID']: int(node['Resources'][kind])
            for node in self._ray.nodes()
            if node['Alive'] and node['Resources'].get(kind, 0) >= 1
        }

    def _on(self, node: str) -> dict:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        where = NodeAffinitySchedulingStrategy(node, soft=False)
        return {'num_cpus': 0, 'scheduling_strategy': where}

    def hand_over(self, sent: Sent, path: Path) -> None:
        """Have every machine that lacks a file or folder write it.

        Args:
            sent: What they are to have.
            path: Where it lies here.
        """
        get, there = self._ray.get, []
        receiver = self._ray.remote(Receiver)
        for machine in self.machines:
            there.append(receiver.options(**self._on(machine.node)).remote(sent))
        lost = lost_errors(self._ray)
        # Who is lost meanwhile is missed when the workers start.
        waiting = [each for each in there if not _unless(lost, get, each.has.remote(), True)]
        if waiting:
            mib = sum(file.stat().st_size for file in files_of(path)) / 2**20
            print(f'sending {sent.name}, {mib:.0f} MiB, to {len(waiting)} nodes', file=sys.stderr)
        for name, piece in pieces(path) if waiting else ():
            held = self._ray.put(piece)
            written = [(each, each.write.remote(name, held)) for each in waiting]
            waiting = [each for each, done in written if _unless(lost, get, done, False) is None]
        for each in waiting:
            _unless(lost, get, each.finish.remote(), None)
        for each in there:
            self._ray.kill(each)


def _unless(lost: tuple[type, ...], get: Callable, reference, otherwise):
    try:
        return get(reference)
    except lost:
        return otherwise


def _reach(address: str) -> None:
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise ClusterError(f"--cluster is '{address}', expected ray://HOST:PORT")
    host, port = match[1].strip('[]'), int(match[2])
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f'no Ray cluster answers at {address}: {error}; `ray start --head` starts one, whose '
            'port for clients is 10001'
        ) from None


def _last(error: Exception) -> str:
    # Of a traceback of the other side the last line says what is wrong.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
