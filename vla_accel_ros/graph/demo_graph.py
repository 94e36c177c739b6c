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


"""The graph's processes, without launch: started in groups of their own, always cleaned up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import contextlib
import os
from pathlib import Path
import signal
import socket
import subprocess
import time

from vla_accel_ros.graph.processes import Deployment, Process, environment
from vla_accel_ros.ros.log_folder import use_log_folder

PATIENCE_S = 10.0
LOG_TAIL = 15
DOMAINS = range(1, 102)
# Of RTPS (9.6.2): where the k-th participant of a domain on one machine listens.
DISCOVERY_PORT, PORTS_PER_DOMAIN, PORTS_PER_PARTICIPANT = 7410, 250, 2
PARTICIPANTS = 16


class ProcessDiedError(RuntimeError):
    """A process of the graph has ended by itself; the message holds the end of its log."""


def reserve_domain() -> tuple[int, socket.socket]:
    """Take a ROS domain that nobody on this machine uses: no demo or test, and no robot.

    Returns:
        The domain, and the socket that stands for it: it is taken until that is closed.

    Raises:
        OSError: When all of them are taken.
    """
    for offset in range(len(DOMAINS)):
        domain = DOMAINS[(os.getpid() + offset) % len(DOMAINS)]
        if str(domain) == os.environ.get('ROS_DOMAIN_ID') or not is_quiet(domain):
            continue
        holder = socket.socket()
        try:
            holder.bind(('127.0.0.1', 21000 + domain))
        except OSError:
            holder.close()
            continue
        return domain, holder
    raise OSError(f'all ROS domains from {DOMAINS[0]} to {DOMAINS[-1]} are taken')


def is_quiet(domain: int) -> bool:
    """Tell whether no process on this machine takes part in a ROS domain.

    The demo enables its arm and sends it twists: it must never do so in a robot's domain.
    """
    for participant in range(PARTICIPANTS):
        port = DISCOVERY_PORT + PORTS_PER_DOMAIN * domain + PORTS_PER_PARTICIPANT * participant
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('', port))
            except OSError:
                return False
    return True


def looking(domain: int, namespace: str = '') -> str:
    """Return lines that say how to look on.

    Args:
        domain: Where the nodes are.
        namespace: Of the arm whose decisions are shown; empty for none.
    """
    topic = f'/{namespace}/vla/decision' if namespace else '/vla/decision'
    return (
        f'look on: ROS_DOMAIN_ID={domain} ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST '
        f'ros2 topic echo {topic}\n'
        f'     or: vla-accel status --domain {domain} --watch'
    )


class RunningGraph:
    """Runs processes while the `with` block lasts.

    Each gets the whole environment, since the ROS wheels need what they put there, and a
    process group of its own, so that Ctrl-C ends the demo, which then ends them in order:
    SIGINT, time to send the last zero, SIGKILL.

    Args:
        processes: What to run.
        deployment: For their command lines.
        logs: Folder for one log file each.
        variables: Environment variables beside the present ones.
        before: Words before each command line, which have it run on another host.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        deployment: Deployment,
        logs: Path,
        variables: Mapping[str, str],
        before: Sequence[str] = (),
    ) -> None:
        self._listed, self._deployment, self._logs = processes, deployment, logs
        self._before = before
        # Before this process begins with ROS, too: who watches the graph writes there as well.
        use_log_folder(logs / 'ros')
        self._environment = {**os.environ, **environment(), **variables}
        self._running: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> RunningGraph:
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            for process in self._listed:
                with open(self.log(process.name), 'wb') as log:
                    self._running[process.name] = subprocess.Popen(
                        [*self._before, *process.command(self._deployment)],
                        env=self._environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def log(self, name: str) -> Path:
        """Return where a process's output goes."""
        return self._logs / f'{name}.log'

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: running.pid for name, running in self._running.items()}

    def check(self) -> None:
        """Raise when a process has ended.

        Raises:
            ProcessDiedError: With its name, its exit code and the end of its log.
        """
        for name, running in self._running.items():
            code = running.poll()
            if code is not None:
                tail = self.log(name).read_text(errors='replace').splitlines()[-LOG_TAIL:]
                raise ProcessDiedError(f'{name} has ended with code {code}\n' + '\n'.join(tail))

    def stop(self) -> None:
        """End every process, and whatever it has started."""
        # The arm's last zero goes out while there is still an arm to take it.
        for running in reversed(list(self._running.values())):
            _signal(running, signal.SIGINT)
        deadline = time.monotonic() + PATIENCE_S
        for running in self._running.values():
            try:
                running.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(running, signal.SIGKILL)
                running.wait()
            # What a dead leader left behind in its group.
            _signal(running, signal.SIGKILL)
        self._running.clear()


def _signal(running: subprocess.Popen, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signum)
