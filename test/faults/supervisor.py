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

"""Processes of a deployment, started one by one and treated badly."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
import os
from pathlib import Path
import resource
import signal
import subprocess

from vla_accel_ros.graph.processes import Deployment, Process, environment, processes


class Supervisor:
    """Starts, stops, kills and freezes processes; waits for none of them.

    Args:
        deployment: What to run, as the launch file and the demo have it.
        logs: Folder for the processes' output.
        domain: Their ROS domain.
        names: Which of its processes; all when None.

    Attributes:
        names: Of the processes.
        variables: Environment variables of the processes.
    """

    def __init__(
        self, deployment: Deployment, logs: Path, domain: int, names: Iterable[str] | None
    ) -> None:
        self._deployment, self._logs = deployment, logs
        self._listed: dict[str, Process] = {
            p.name: p for p in processes(deployment) if names is None or p.name in names
        }
        self._before: dict[str, tuple[str, ...]] = {}
        self._running: dict[str, subprocess.Popen] = {}
        self._frozen: set[str] = set()
        self.names = tuple(self._listed)
        self.variables = {
            **os.environ,
            **environment(),
            'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        }

    def add(self, deployment: Deployment, before: tuple[str, ...]) -> None:
        """Take the processes of another host in, with the words that have them run there."""
        for process in processes(deployment):
            self._listed[process.name] = process
            self._before[process.name] = before
        self.names = tuple(self._listed)

    def start(self, name: str) -> None:
        """Start a process in a group of its own."""
        with open(self._logs / f'{name}.log', 'ab') as log:
            self._running[name] = subprocess.Popen(
                [*self._before.get(name, ()), *self._listed[name].command(self._deployment)],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def signal(self, name: str, signum: int) -> None:
        """Send a signal to a process and whatever it has started."""
        os.killpg(self._running[name].pid, signum)

    def freeze(self, name: str) -> None:
        """Have a process stopped where it stands, as a hung driver or a debugger does."""
        self._frozen.add(name)
        self.signal(name, signal.SIGSTOP)

    def is_frozen(self, name: str) -> bool:
        """Tell whether every thread stands: the others run on until one has had its turn."""
        tasks = Path(f'/proc/{self._running[name].pid}/task')
        return all(
            stat.read_text().rpartition(')')[2].split()[0] == 'T' for stat in tasks.glob('*/stat')
        )

    def thaw(self, *names: str) -> None:
        """Let frozen processes go on, all when none is named."""
        for name in names or tuple(self._frozen):
            if name in self._frozen:
                self._frozen.discard(name)
                self.signal(name, signal.SIGCONT)

    def status(self, name: str) -> int | None:
        """Return the exit status of a process, None while it runs."""
        return self._running[name].poll()

    def all_alive(self) -> bool:
        """Tell whether every process that was started still runs."""
        return all(self.status(name) is None for name in self._running)

    @contextmanager
    def parameters(self, name: str, **values) -> Iterator[None]:
        """Start a process with other parameters meanwhile, which nobody has checked."""
        usual = self._listed[name]
        self._listed[name] = replace(usual, given=values)
        try:
            yield
        finally:
            self._listed[name] = usual

    @contextmanager
    def limit(self, name: str, kind: int, most: int) -> Iterator[None]:
        """Take a resource away from a running process meanwhile.

        Args:
            name: Of the process.
            kind: One of `resource.RLIMIT_...`.
            most: What it may have of it.
        """
        pid = self._running[name].pid
        usual = resource.prlimit(pid, kind, (most, resource.prlimit(pid, kind)[1]))
        try:
            yield
        finally:
            resource.prlimit(pid, kind, usual)

    def close(self, patience_s: float) -> None:
        """End every process, in order as long as they do it by themselves."""
        alive = [name for name in self._running if self.status(name) is None]
        self.thaw()
        for name in alive:
            self.signal(name, signal.SIGINT)
        for name in alive:
            try:
                self._running[name].wait(patience_s)
            except subprocess.TimeoutExpired:
                self.signal(name, signal.SIGKILL)
                self._running[name].wait()
