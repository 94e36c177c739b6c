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

"""Two network namespaces as two hosts, and the link between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys

from benchmarks.network.forwarder import DEVICE, enter

ROBOT, GPU = '10.77.0.1', '10.77.0.2'
SERVER_PORT = '11811'
OWN = '/proc/thread-self/ns/net'
# The GPU's host has no shared memory with the robot's.
_HOST = 'mount -t tmpfs tmpfs /dev/shm && echo ready && exec sleep infinity'


def missing() -> str:
    """Say what this machine lacks for two hosts of its own; empty where nothing is missing."""
    if os.geteuid() != 0:
        return 'network namespaces take root'
    for name in ('unshare', 'nsenter', 'ip'):
        if not shutil.which(name):
            return f'{name} is not installed (iproute2, util-linux)'
    if not os.access('/dev/net/tun', os.R_OK | os.W_OK):
        return 'there is no /dev/net/tun: the kernel has no TUN, or the container may not use it'
    tried = subprocess.run(
        ['unshare', '-n', '-m', 'sh', '-c', 'mount -t tmpfs tmpfs /dev/shm && ip link'],
        capture_output=True,
        text=True,
        check=False,
    )
    return f'no namespace can be made: {tried.stderr.strip()}' if tried.returncode else ''


def discovery_server() -> str:
    """Return the path of Fast DDS's discovery server, of the wheels or of the ROS that is sourced.

    Raises:
        FileNotFoundError: When there is none.
    """
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')])
    if program := shutil.which('fast-discovery-server', path=places):
        return program
    raise FileNotFoundError('fast-discovery-server is not installed; it comes with Fast DDS')


class Link:
    """Two hosts and a link; use it as a context.

    Attributes:
        on_gpu: Words before a command that has to run on the GPU's host.
        pid: Of the process that is the link.
    """

    def __enter__(self) -> Link:
        self._started: list[subprocess.Popen] = []
        try:
            self._robot, self._gpu = self._host(), self._host()
            self._forwarder = self._start(
                [
                    *(sys.executable, '-m', 'benchmarks.network.forwarder'),
                    *(str(self._robot.pid), str(self._gpu.pid)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
            )
            if not self._forwarder.stdout.readline():
                raise OSError('the forwarder between the two namespaces cannot start')
            for host, address in ((self._robot, ROBOT), (self._gpu, GPU)):
                for words in (
                    'link set lo up',
                    f'address add {address}/24 dev {DEVICE}',
                    f'link set {DEVICE} up',
                    f'route add 224.0.0.0/4 dev {DEVICE}',
                ):
                    inside = ['nsenter', '-t', str(host.pid), '-n', 'ip', *words.split()]
                    subprocess.run(inside, check=True)
        except BaseException:
            self.__exit__()
            raise
        self.pid = self._forwarder.pid
        self.on_gpu = ('nsenter', '-t', str(self._gpu.pid), '-n', '-m', f'--wd={os.getcwd()}')
        return self

    def __exit__(self, *_error) -> None:
        for process in reversed(self._started):
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def be(
        self, delay_s: float = 0.0, jitter_s: float = 0.0, loss: float = 0.0, cut: bool = False
    ) -> dict[str, int]:
        """Have the link be so from now on, each way.

        Args:
            delay_s: How late a frame is.
            jitter_s: How much later at most, drawn for each: frames overtake one another.
            loss: Share of the frames that are lost.
            cut: Whether all are.

        Returns:
            Frames `carried` and `lost`, and `bytes` carried, so far.
        """
        link = {'delay_s': delay_s, 'jitter_s': jitter_s, 'loss': loss, 'cut': cut}
        self._forwarder.stdin.write(json.dumps(link) + '\n')
        self._forwarder.stdin.flush()
        return json.loads(self._forwarder.stdout.readline())

    @contextmanager
    def on_robot(self) -> Iterator[None]:
        """Have this thread, and what it starts meanwhile, live on the robot's host."""
        home = os.open(OWN, os.O_RDONLY)
        enter(f'/proc/{self._robot.pid}/ns/net')
        try:
            yield
        finally:
            enter(f'/proc/self/fd/{home}')
            os.close(home)

    def serve_discovery(self) -> None:
        """Run Fast DDS's discovery server on the robot's host, until the link is closed."""
        with self.on_robot():
            self._start([discovery_server(), '-i', '0', '-l', ROBOT, '-p', SERVER_PORT])

    def _start(self, command: list[str], **options) -> subprocess.Popen:
        self._started.append(subprocess.Popen(command, **options))
        return self._started[-1]

    def _host(self) -> subprocess.Popen:
        """Start a process in namespaces of its own, and wait until it is there."""
        command = ['unshare', '-n', '-m', 'sh', '-c', _HOST]
        host = self._start(command, stdout=subprocess.PIPE, text=True)
        if not host.stdout.readline():
            raise OSError('a network namespace cannot be made')
        return host


def variables(server: bool = False) -> dict[str, str]:
    """Return how the processes of two hosts find each other, without multicast.

    Args:
        server: Whether they ask a discovery server on the robot's host, see
            `Link.serve_discovery`; else each knows the other's address.
    """
    if server:
        return {'ROS_DISCOVERY_SERVER': f'{ROBOT}:{SERVER_PORT}'}
    return {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_STATIC_PEERS': f'{ROBOT};{GPU}'}
