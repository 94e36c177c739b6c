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

"""A rig of real processes over real DDS, an operator beside it, and a witness at the arm."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
import os
from pathlib import Path
import signal
import subprocess
import time

from arm_recorder import NS, ArmRecorder
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import TRANSITIONS, Graph
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from vla_accel_ros.nodes import qos
from vla_accel_ros.nodes.demo_graph import reserve_domain
from vla_accel_ros.nodes.processes import Deployment, Process, environment, processes

# Deadlines are for what hangs, not for what is slow: torch alone is seconds on a busy machine.
START_S, DEADLINE_S = 90.0, 30.0
# The arm is at rest, or moves, once it has been seen to for as long, or as often.
REST_NS, SEEN = 3 * NS // 10, 5


class Rig(Graph):
    """Processes of a deployment in a ROS domain of their own.

    Args:
        deployment: What to run, as the launch file and the demo have it.
        logs: Folder for the processes' output.
        names: Which of its processes; all when None.
        now_ns: The clock of the stamps; the system's when None.
    """

    def __init__(
        self, deployment: Deployment, logs: Path, names: Iterable[str] | None = None,
        now_ns: Callable[[], int] | None = None,
    ) -> None:
        domain, self._holder = reserve_domain()
        super().__init__(domain)
        self._deployment, self._logs = deployment, logs
        self.variables = {
            **os.environ, **environment(), 'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
        self._listed: dict[str, Process] = {
            p.name: p for p in processes(deployment) if names is None or p.name in names}
        self._running: dict[str, subprocess.Popen] = {}
        self._frozen: set[str] = set()
        self.now_ns = now_ns or (lambda: self.peer.get_clock().now().nanoseconds)
        self.recorder = ArmRecorder(self.peer, self.now_ns, increasing=now_ns is None)
        self.reports: dict[str, DiagnosticStatus] = {}
        self._known: dict[str, dict[str, int]] = {}
        self._heard: dict[str, list[DiagnosticStatus]] = {}
        self.peer.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.REPORT)

    def once(self) -> None:
        self.recorder.ready_s = time.monotonic()
        super().once()

    def until(self, holds: Callable[[], object], what: str, deadline: float = DEADLINE_S):
        try:
            return super().until(holds, what, deadline)
        except AssertionError as error:
            told = [f'{name}: {s.message} {counts(s)}' for name, s in sorted(self.reports.items())]
            raise AssertionError('\n  '.join([str(error), *told])) from None

    def close(self) -> None:
        """End every process, the arm's side last, and then the operator."""
        for name in [*self._running]:
            if self._running[name].poll() is None:
                self.thaw(name)
                self._signal(name, signal.SIGINT)
        for name in [*self._running]:
            try:
                self._running[name].wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.kill(name)
        super().close()
        self._holder.close()

    # -- processes -------------------------------------------------------------------------------

    def start(self, *names: str, active: bool = True) -> None:
        """Start processes, all when none is named, and wait until their nodes are active."""
        names = names or tuple(self._listed)
        for name in names:
            self._known.pop(name, None)
            self._heard.pop(name, None)
            self.reports.pop(name, None)
            with open(self._logs / f'{name}.log', 'ab') as log:
                self._running[name] = subprocess.Popen(
                    self._listed[name].command(self._deployment), env=self.variables,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    start_new_session=True)
        for name in names:
            self.until(
                lambda name=name: self.state(name) == 'active' if active else self.state(name),
                f'{name} is up', START_S)

    def kill(self, name: str) -> None:
        """Kill a process as the kernel does when memory runs out: without a word."""
        self._signal(name, signal.SIGKILL)
        self._running[name].wait()
        self._frozen.discard(name)
        if name == 'arm_command':
            self.recorder.forbid()

    def end(self, name: str, signum: int) -> int:
        """Ask a process to end, see it off and return its exit status."""
        self._signal(name, signum)
        self.until(lambda: self._running[name].poll() is not None, f'{name} has ended')
        return self._running[name].returncode

    def freeze(self, name: str) -> None:
        """Stop a process where it stands, as a hung driver or a debugger does."""
        self._frozen.add(name)
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on."""
        if name in self._frozen:
            self._frozen.discard(name)
            self._signal(name, signal.SIGCONT)

    def all_alive(self) -> bool:
        """Tell whether every process that was started still runs."""
        return all(running.poll() is None for running in self._running.values())

    @contextmanager
    def parameter_file(self, file: Path) -> Iterator[None]:
        """Start processes with another parameter file meanwhile."""
        usual = self._deployment
        self._deployment = replace(usual, params_file=str(file))
        try:
            yield
        finally:
            self._deployment = usual

    # -- operator --------------------------------------------------------------------------------

    def enable(self, on: bool = True) -> SetBool.Response:
        """Enable or disable the arm, and let the witness know."""
        if on:
            self.recorder.permit()
        answer = self.call(SetBool, 'arm_command/enable', SetBool.Request(data=on))
        if not on or not answer.success:
            self.recorder.forbid()
        return answer

    def stop(self) -> None:
        """Stop the arm, and let the witness know."""
        assert self.call(Trigger, 'arm_command/stop', Trigger.Request()).success
        self.recorder.forbid()

    def set(self, node: str, **values):
        """Set parameters of a node as one; return the result with its reason."""
        request = SetParametersAtomically.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()])
        return self.call(
            SetParametersAtomically, f'{node}/set_parameters_atomically', request).result

    def change(self, node: str, transition: str | int) -> bool:
        """Ask for a lifecycle transition, by name or by number."""
        request = ChangeState.Request()
        request.transition.id = TRANSITIONS.get(transition, transition)
        done = self.call(ChangeState, f'{node}/change_state', request).success
        if done and (node, transition) == ('arm_command', 'deactivate'):
            self.recorder.forbid()
        return done

    def lifecycle(self, node: str) -> str:
        """Return a node's state, asked for."""
        return self.call(GetState, f'{node}/get_state', GetState.Request()).current_state.label

    # -- what is seen ----------------------------------------------------------------------------

    def state(self, name: str) -> str:
        """Return a node's state as it last reported it, empty before."""
        report = self.reports.get(name)
        return values(report).get('state', '') if report else ''

    def moves(self) -> None:
        """Spin until the arm moves, from now on."""
        since = self.now_ns()
        self.until(lambda: self.recorder.moves_after(since) >= SEEN, 'the arm moves')

    def rests(self, horizon_ns: int | None = None) -> None:
        """Spin until the arm rests, and see that it came to rest in time.

        Args:
            horizon_ns: End of the last valid action; that of the last one on `vla/action`
                when None.
        """
        recorder = self.recorder
        self.until(
            lambda: self.now_ns() - recorder.last_motion_ns > REST_NS
            and recorder.twists and not recorder.twists[-1].moving, 'the arm rests')
        if horizon_ns is None:
            received_ns, _, step_s = recorder.actions[-1]
            horizon_ns = received_ns + round(step_s * NS)
        late_s = recorder.late_s(horizon_ns)
        assert late_s == 0, f'zero came {late_s:.3f} s too late'

    def mark(self) -> None:
        """Forget what was told so far: `tells` counts from here."""
        self._known = {name: counts(report) for name, report in self.reports.items()}
        self._heard = {}

    def tells(self, node: str, reason: str, detail: str = '') -> None:
        """Spin until a node's diagnostics have named a reason that is new since the mark."""
        def told() -> bool:
            known = self._known.get(node, {}).get(reason, 0)
            return any(
                reason in report.message and detail in report.message
                and counts(report).get(reason, 0) > known for report in self._heard.get(node, ()))

        self.until(told, f'{node} tells {reason}: {detail}')

    def counts(self, node: str, name: str) -> None:
        """Spin until a node's counter has grown since the mark."""
        known = self._known.get(node, {}).get(name, 0)
        self.until(
            lambda: node in self.reports and counts(self.reports[node]).get(name, 0) > known,
            f'{node} counts {name}')

    def quiet(self, node: str, reason: str) -> None:
        """Spin until a node's diagnostics no longer name a reason."""
        self.until(
            lambda: node in self.reports and reason not in self.reports[node].message,
            f'{node} no longer tells {reason}')

    # -- inside ----------------------------------------------------------------------------------

    def _signal(self, name: str, signum: int) -> None:
        os.killpg(self._running[name].pid, signum)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            name = status.name.rpartition('/')[2]
            self.reports[name] = status
            self._heard.setdefault(name, []).append(status)


def values(status: DiagnosticStatus) -> dict[str, str]:
    """Return a status's values by key."""
    return {pair.key: pair.value for pair in status.values}


def counts(status: DiagnosticStatus) -> dict[str, int]:
    """Return a status's counters by name."""
    return {
        pair.key.removeprefix('count.'): int(pair.value)
        for pair in status.values if pair.key.startswith('count.')}
