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

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
import signal
from socket import socket
import time

from arm_recorder import NS, ArmRecorder
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from graph import TRANSITIONS, Graph
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.parameter import Parameter, parameter_value_to_python
from reports import Reports
from std_srvs.srv import SetBool, Trigger
from supervisor import Supervisor

from vla_accel_ros.graph.demo_graph import reserve_domain
from vla_accel_ros.graph.processes import Deployment
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import to_ns

# Deadlines are for what hangs, not for what is slow: torch alone is seconds on a busy machine.
START_S, DEADLINE_S, AGAIN_S = 90.0, 30.0, 8.0
# The arm is at rest, or moves, once it has been seen to for as long, or as often.
REST_NS, SEEN = 3 * NS // 10, 5
STILL_M = 1e-3


class Rig(Graph):
    """Processes of a deployment in a ROS domain of their own.

    Args:
        deployment: What to run, as the launch file and the demo have it.
        logs: Folder for the processes' output.
        names: Which of its processes; all when None.
        now_ns: The clock of the stamps; the system's when None.
        reserved: What `reserve_domain` gave; None reserves one.
        witness: Class of the witness at the arm.

    Attributes:
        deployment: What runs.
        domain: The ROS domain.
        processes: To be thawed.
        recorder: The witness.
        reports: What the nodes tell.
    """

    def __init__(
        self,
        deployment: Deployment,
        logs: Path,
        names: Iterable[str] | None = None,
        now_ns: Callable[[], int] | None = None,
        reserved: tuple[int, socket] | None = None,
        witness: type = ArmRecorder,
    ) -> None:
        domain, self._holder = reserved or reserve_domain()
        self.deployment, self.domain = deployment, domain
        super().__init__(domain)
        self.processes = Supervisor(deployment, logs, domain, names)
        self.now_ns = now_ns or (lambda: self.peer.get_clock().now().nanoseconds)
        self.recorder = witness(self.peer, self.now_ns, increasing=now_ns is None)
        self.reports = Reports()
        self._clients: dict = {}
        self.peer.create_subscription(
            DiagnosticArray, '/diagnostics', self.reports.hear, qos.REPORT
        )

    def once(self) -> None:
        super().once()
        self.recorder.listening()

    def until(self, holds: Callable[[], object], what: str, deadline: float = DEADLINE_S):
        try:
            return super().until(holds, what, deadline)
        except AssertionError as error:
            raise AssertionError(f'{error}\n{self.reports}') from None

    def call(self, kind: type, name: str, request):
        """Call a service and return its response; a client is made once for all calls."""
        if name not in self._clients:
            self._clients[name] = self.peer.create_client(kind, name)
        client = self._clients[name]
        self.until(client.service_is_ready, f'{name} is served')
        asked, since_s = [client.call_async(request)], time.monotonic()

        def answered():
            # A server that came up just now may not know the client yet, and its answer is lost.
            # A transition is not asked for twice, since it cannot be made twice.
            late = time.monotonic() - since_s > AGAIN_S * len(asked)
            if late and kind is not ChangeState:
                asked.append(client.call_async(request))
            return next((future for future in asked if future.done()), None)

        return self.until(answered, f'{name} answers').result()

    def close(self) -> None:
        """End every process, and then the operator."""
        self.processes.close(DEADLINE_S)
        super().close()
        self._holder.close()

    # -- processes -------------------------------------------------------------------------------

    def start(self, *names: str, state: str = 'active') -> None:
        """Start processes, all when none is named, and wait until their nodes are that far."""
        names = names or self.processes.names
        for name in names:
            self.reports.forget(name)
            if name == 'scheduler':
                self.recorder.stranger()
            self.processes.start(name)
        for name in names:
            self.up(name, state)

    def up(self, name: str, state: str = 'active') -> None:
        """Spin until a node has come up to a state."""

        def is_up() -> bool:
            assert not (self.reports.told(name, 'configure_failed', '') and state == 'active'), (
                f'{name} cannot come up\n{self.reports}'
            )
            return self.reports.value(name, 'state') == state

        self.until(is_up, f'{name} is {state}', START_S)

    def end(self, name: str, signum: int) -> int:
        """Have a process end by a signal and return its exit status."""
        self.processes.signal(name, signum)
        self.until(lambda: self.processes.status(name) is not None, f'{name} has ended')
        if name == 'arm_command':
            self.recorder.forbid()
        return self.processes.status(name)

    def kill(self, name: str) -> None:
        """Kill a process as the kernel does when memory runs out: without a word."""
        self.end(name, signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Stop a process where it stands, as a hung driver or a debugger does."""
        self.processes.freeze(name)
        self.until(lambda: self.processes.is_frozen(name), f'{name} stands')

    # -- operator --------------------------------------------------------------------------------

    def enable(self) -> SetBool.Response:
        """Enable the arm as soon as nothing stands against it."""
        return self.until(
            lambda: (answer := self.ask_to_enable()).success and answer, 'the arm is enabled'
        )

    def ask_to_enable(self, on: bool = True) -> SetBool.Response:
        """Ask once to enable or disable the arm, and let the witness know."""
        permitted_now = on and self.recorder.permit()
        answer = self.call(SetBool, 'arm_command/enable', SetBool.Request(data=on))
        # A refusal changes nothing: an arm that was enabled before still is.
        if not on or (permitted_now and not answer.success):
            self.recorder.forbid()
        return answer

    def stop(self) -> None:
        """Stop the arm, and let the witness know."""
        assert self.call(Trigger, 'arm_command/stop', Trigger.Request()).success
        self.recorder.forbid()

    def reset_table(self) -> None:
        """Lay the table of the embedded arm anew, which puts its tool back to where it began."""
        assert self.call(Trigger, 'sim_arm/reset', Trigger.Request()).success

    def set(self, node: str, **values):
        """Set parameters of a node as one; return the result with its reason."""
        request = SetParametersAtomically.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        return self.call(
            SetParametersAtomically, f'{node}/set_parameters_atomically', request
        ).result

    def get(self, node: str, name: str):
        """Return the value of a node's parameter."""
        answer = self.call(
            GetParameters, f'{node}/get_parameters', GetParameters.Request(names=[name])
        )
        return parameter_value_to_python(answer.values[0])

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

    @contextmanager
    def publishing(self, kind: type, topic: str, profile, messages: Iterable) -> Iterator[None]:
        """Publish messages in turn meanwhile, 20 a second."""
        publisher, going = self.publisher(kind, topic, profile), [True]
        turns = cycle(messages) if isinstance(messages, Sequence) else iter(messages)
        timer = self.peer.create_timer(0.05, lambda: going and publisher.publish(next(turns)))
        try:
            yield
        finally:
            # What is destroyed may still have an event in the executor's queue: the timer stays.
            timer.cancel()
            going.clear()
            self.peer.destroy_publisher(publisher)

    # -- what is seen ----------------------------------------------------------------------------

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
            lambda: self.now_ns() - recorder.last_motion_ns > REST_NS and recorder.resting,
            'the arm rests',
        )
        if horizon_ns is None:
            received_ns, _, step_s = recorder.actions[-1]
            horizon_ns = received_ns + round(step_s * NS)
        late_s = recorder.late_s(horizon_ns)
        assert late_s == 0, f'zero came {late_s:.3f} s too late'

    def tool_rests(self) -> None:
        """Spin until the tool of the embedded arm stays where it is."""
        poses = self.listen(PoseStamped, 'ee_pose', qos.SENSOR)

        def rests() -> bool:
            recent = [
                p.pose.position
                for p in poses
                if to_ns(poses[-1].header.stamp) - to_ns(p.header.stamp) <= 2 * REST_NS
            ]
            return len(recent) > SEEN and all(
                abs(getattr(p, axis) - getattr(recent[-1], axis)) < STILL_M
                for p in recent
                for axis in 'xyz'
            )

        self.until(rests, 'the tool stays where it is')

    def tells(self, node: str, reason: str, detail: str = '') -> None:
        """Spin until a node's diagnostics have named a reason that is new since the mark."""
        self.until(
            lambda: self.reports.told(node, reason, detail), f'{node} tells {reason}: {detail}'
        )

    def counts(self, node: str, name: str) -> None:
        """Spin until a node's counter has grown since the mark."""
        self.until(lambda: self.reports.counted(node, name), f'{node} counts {name}')

    def forgotten(self, topic: str) -> None:
        """Spin until nobody publishes a topic: one that was killed counts until its lease ends."""
        self.until(lambda: not self.peer.count_publishers(topic), f'nobody publishes {topic}')

    def quiet(self, node: str, reason: str) -> None:
        """Spin until a node's diagnostics no longer name a reason."""
        self.until(lambda: self.reports.silent(node, reason), f'{node} no longer tells {reason}')
