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


"""Who drives the demo: an operator with a stopwatch, over the same topics as anyone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
import json
import os
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
import numpy as np
from rcl_interfaces.srv import SetParametersAtomically
import rclpy
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from vla_accel_ros.ros import enclave, qos
from vla_accel_ros.ros.images import image_to_array
from vla_accel_ros.ros.messages import message_to_decision, to_ns
from vla_accel_ros.ros.spin import make_executor

ANSWER_S = 10.0
VIEWS = {'agent': 'image_raw', 'wrist': 'wrist/image_raw'}


class GraphError(RuntimeError):
    """The graph does not do what was asked of it; the message says which part, and why."""


@dataclass
class Record:
    """What was seen of one episode.

    Attributes:
        begun_ns: ROS time from which on poses and frames count: those of the arm being put
            back to its start, still on their way, are no motion.
        decisions: Each decision's values by key, as `message_to_decision` gives them.
        twists: Arrival times of twists, steady seconds.
        track: Tool positions, [n, 3] m.
        frames: (stamp in ns, view, uint8 [h, w, 3]) of what the cameras sent.
        states: (stamp in ns, physics) of the simulated arm, to render the scene from.
    """

    begun_ns: int = 0
    decisions: list[dict[str, str]] = field(default_factory=list)
    twists: list[float] = field(default_factory=list)
    track: list[tuple[float, float, float]] = field(default_factory=list)
    frames: list[tuple[int, str, np.ndarray]] = field(default_factory=list)
    states: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def values(self, key: str) -> np.ndarray:
        """Return a figure of the decisions that have it, float64 [n]."""
        return np.array([float(d[key]) for d in self.decisions if d.get(key)])

    def moved(self) -> float:
        """Return how far the tool got from where it began, m."""
        track = np.array(self.track).reshape(-1, 3)
        return float(np.linalg.norm(track - track[0], axis=1).max()) if len(track) else 0.0

    def path(self) -> float:
        """Return the length of the tool's path, m."""
        track = np.array(self.track).reshape(-1, 3)
        return float(np.linalg.norm(np.diff(track, axis=0), axis=1).sum())


class Operator:
    """A node of its own beside the graph: watches, instructs, enables, stops.

    Args:
        domain: ROS domain of the graph.
        check: Called while waiting; raises when waiting is in vain.
        namespace: That of the arm; empty for none.
    """

    def __init__(self, domain: int, check: Callable[[], None], namespace: str = '') -> None:
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        self._check, self._namespace = check, namespace
        self._context = rclpy.Context()
        rclpy.init(
            args=['--ros-args', *enclave.arguments(enclave.OPERATOR)],
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = rclpy.create_node('operator', context=self._context, namespace=namespace)
        self._executor = make_executor(self._context)
        self._executor.add_node(self.node)
        self.record = Record()
        self.recent: deque[tuple[float, dict[str, str]]] = deque(maxlen=40)
        self.statuses: dict[str, DiagnosticStatus] = {}
        listen = self.node.create_subscription
        listen(DiagnosticStatus, 'vla/decision', self._on_decision, qos.REPORT)
        listen(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.REPORT)
        listen(PoseStamped, 'ee_pose', self._on_pose, qos.SENSOR)
        listen(TwistStamped, 'servo_node/delta_twist_cmds', self._on_twist, qos.CONTROL)
        self._instruction = self.node.create_publisher(String, 'vla/instruction', qos.LATCHED)

    def close(self) -> None:
        """End the node."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    # -- waiting ---------------------------------------------------------------------------------

    def until(self, holds: Callable[[], object], what: str, seconds: float):
        """Spin until something holds and return what it gave.

        Raises:
            GraphError: When it does not within the time.
        """
        end = time.monotonic() + seconds
        while not (outcome := holds()):
            if time.monotonic() > end:
                raise GraphError(f'not within {seconds:.0f} s: {what}{self._troubles()}')
            self._executor.spin_once(timeout_sec=0.05)
            self._check()
        return outcome

    def until_active(self, names: tuple[str, ...], seconds: float) -> None:
        """Wait until every node is active.

        Raises:
            GraphError: When one cannot be configured, or is not active within the time.
        """

        def active() -> bool:
            for name, status in self.statuses.items():
                if 'configure_failed' in status.message:
                    raise GraphError(f'{name}: {status.message}')
            return all(self.state(name) == 'active' for name in names)

        self.until(active, f'{", ".join(names)} are active', seconds)

    def state(self, name: str) -> str:
        """Return a node's lifecycle state as it last reported it, empty before."""
        status = self.statuses.get(name)
        return next((v.value for v in status.values if v.key == 'state'), '') if status else ''

    # -- doing -----------------------------------------------------------------------------------

    def reset(self, seed: int, task: str) -> str:
        """Lay the table anew and return the instruction."""
        self.set('sim_arm', seed=seed, task=task)
        return json.loads(self.call(Trigger, 'sim_arm/reset', Trigger.Request()))['instruction']

    def instruct(self, text: str) -> None:
        """Say what to do; an empty text is a pause."""
        self._instruction.publish(String(data=text))

    def begin(self) -> Record:
        """Begin a new record and return it."""
        self.record = Record(self.node.get_clock().now().nanoseconds)
        self.recent.clear()
        return self.record

    def enable(self, seconds: float = ANSWER_S) -> None:
        """Let the arm move, as soon as nothing stands against it.

        Args:
            seconds: Longest that something may stand against it.

        Raises:
            GraphError: When something goes on standing against it; says what.
        """
        answer = SetBool.Response()

        def enabled() -> bool:
            nonlocal answer
            answer = self.ask(SetBool, 'arm_command/enable', SetBool.Request(data=True))
            return answer.success

        try:
            self.until(enabled, 'the arm is enabled', seconds)
        except GraphError as error:
            raise GraphError(f'arm_command/enable refuses: {answer.message}') from error

    def stop(self) -> None:
        """Stop the arm."""
        self.call(Trigger, 'arm_command/stop', Trigger.Request())

    def ask_success(self):
        """Ask whether the task is done; return a future of the answer."""
        return self.send(Trigger, 'sim_arm/success', Trigger.Request())

    def watch(self) -> None:
        """Record the cameras and the simulation's state from now on."""
        listen = self.node.create_subscription
        for view, topic in VIEWS.items():
            listen(Image, topic, partial(self._on_image, view), qos.SENSOR)
        listen(JointState, 'sim_arm/state', self._on_state, qos.SENSOR)

    def send(self, kind: type, name: str, request):
        """Call a service and return a future of its answer.

        Raises:
            GraphError: When the service is not there.
        """
        return self._client(kind, name).call_async(request)

    def ask(self, kind: type, name: str, request):
        """Call a service and return its answer.

        Raises:
            GraphError: When it does not answer.
        """
        return self._answer(name, self.send(kind, name, request))

    def call(self, kind: type, name: str, request) -> str:
        """Call a service that may refuse, and return its message.

        Raises:
            GraphError: When it refuses or does not answer.
        """
        return self.granted(name, self.send(kind, name, request))

    def granted(self, name: str, future) -> str:
        """Wait for the answer of a service that may refuse, and return its message.

        Args:
            name: Of the service.
            future: What `send` returned.

        Raises:
            GraphError: When it refuses or does not answer.
        """
        answer = self._answer(name, future)
        if not answer.success:
            raise GraphError(f'{name} refuses: {answer.message}')
        return answer.message

    def set(self, node: str, **values) -> None:
        """Set parameters of a node as one.

        Raises:
            GraphError: When it refuses or does not answer.
        """
        request = SetParametersAtomically.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        answer = self.ask(SetParametersAtomically, f'{node}/set_parameters_atomically', request)
        if not answer.result.successful:
            raise GraphError(f'{node} refuses {values}: {answer.result.reason}')

    # -- inside ----------------------------------------------------------------------------------

    def _answer(self, name: str, future):
        self.until(future.done, f'{name} answers', ANSWER_S)
        return future.result()

    def _client(self, kind: type, name: str):
        clients = self.__dict__.setdefault('_clients', {})
        if name not in clients:
            clients[name] = self.node.create_client(kind, name)
        self.until(clients[name].service_is_ready, f'{name} is there', ANSWER_S)
        return clients[name]

    def _troubles(self) -> str:
        lines = [f'\n  {name}: {status.message}' for name, status in sorted(self.statuses.items())]
        return ''.join(lines)

    def _on_decision(self, message: DiagnosticStatus) -> None:
        decision = message_to_decision(message)
        self.record.decisions.append(decision)
        self.recent.append((time.monotonic(), decision))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            within, _, name = status.name.strip('/').rpartition('/')
            # Beside the arm's own nodes stand those that all arms share.
            if not self._namespace or within in ('', self._namespace):
                self.statuses[name] = status

    def _on_pose(self, message: PoseStamped) -> None:
        point = message.pose.position
        if to_ns(message.header.stamp) >= self.record.begun_ns:
            self.record.track.append((point.x, point.y, point.z))

    def _on_twist(self, _message: TwistStamped) -> None:
        self.record.twists.append(time.monotonic())

    def _on_image(self, view: str, message: Image) -> None:
        stamp_ns = to_ns(message.header.stamp)
        if stamp_ns >= self.record.begun_ns:
            self.record.frames.append((stamp_ns, view, image_to_array(message)))

    def _on_state(self, message: JointState) -> None:
        stamp_ns = to_ns(message.header.stamp)
        if stamp_ns >= self.record.begun_ns:
            self.record.states.append((stamp_ns, np.array(message.position)))
