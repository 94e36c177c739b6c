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

"""A graph of real nodes over real DDS in one process, spun until something holds."""

from collections.abc import Callable
import time

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParametersAtomically
import rclpy
from rclpy.parameter import Parameter

from vla_accel_ros.ros import qos
from vla_accel_ros.ros.spin import make_executor

# Generous: a machine that is busy with other things is no failure.
DEADLINE = 30.0
TRANSITIONS = {'configure': 1, 'cleanup': 2, 'activate': 3, 'deactivate': 4, 'shutdown': 5}


class Graph:
    """Nodes under test beside one peer that publishes to them and listens."""

    def __init__(self, domain_id: int | None = None) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain_id)
        self.executor = make_executor(self.context)
        self.peer = rclpy.create_node('peer', context=self.context)
        self.executor.add_node(self.peer)
        self.nodes = []
        self.errors = []

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        self.executor.shutdown()
        self.peer.destroy_node()
        rclpy.try_shutdown(context=self.context)

    def add(self, node_class: type, autostart: bool = True, remaps=(), **parameters):
        """Make a node; with `autostart`, spin until it is active; `remaps` as `from:=to`."""
        parameters['autostart'] = autostart
        words = [word for remap in remaps for word in ('-r', remap)]
        node = node_class(
            cli_args=['--ros-args', *words] if words else None,
            context=self.context,
            parameter_overrides=[Parameter(k, value=v) for k, v in parameters.items()],
        )
        self.nodes.append(node)
        self.executor.add_node(node)
        if autostart:
            self.until(lambda: node.active or node.health.standing(), f'{node_class.NAME} is up')
            assert node.active, node.health.standing()
        return node

    def once(self) -> None:
        try:
            self.executor.spin_once(timeout_sec=0.02)
        except Exception as error:
            self.errors.append(error)

    def until(self, holds: Callable[[], object], what: str, deadline: float = DEADLINE):
        """Spin until it holds and return what it gave; fail at the deadline."""
        end = time.monotonic() + deadline
        while not (outcome := holds()):
            if time.monotonic() > end:
                raise AssertionError(f'not within {deadline} s: {what}')
            self.once()
        return outcome

    def publisher(self, kind: type, topic: str, profile, partners: int = 1):
        """Make a publisher and wait for those who listen."""
        publisher = self.peer.create_publisher(kind, topic, profile)
        self.until(
            lambda: publisher.get_subscription_count() >= partners, f'{topic} is listened to'
        )
        return publisher

    def listen(self, kind: type, topic: str, profile, partners: int = 1) -> list:
        """Collect the messages of a topic, once its publishers are known."""
        heard: list = []
        subscription = self.peer.create_subscription(kind, topic, heard.append, profile)
        self.until(
            lambda: self.peer.count_publishers(subscription.topic_name) >= partners,
            f'{topic} is published',
        )
        return heard

    def call(self, kind: type, name: str, request):
        """Call a service and return its response."""
        client = self.peer.create_client(kind, name)
        self.until(client.service_is_ready, f'{name} is served')
        future = client.call_async(request)
        self.until(future.done, f'{name} answers')
        self.peer.destroy_client(client)
        return future.result()

    def change_state(self, node, transition: str) -> bool:
        """Ask for a lifecycle transition as `ros2 lifecycle set` does."""
        request = ChangeState.Request()
        request.transition.id = TRANSITIONS[transition]
        return self.call(
            ChangeState, f'{node.get_fully_qualified_name()}/change_state', request
        ).success

    def set_parameters(self, node, **values):
        """Set parameters over the service, as one; returns the result with its reason."""
        request = SetParametersAtomically.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        return self.call(
            SetParametersAtomically,
            f'{node.get_fully_qualified_name()}/set_parameters_atomically',
            request,
        ).result

    def diagnostics(self) -> list:
        """Collect `/diagnostics`."""
        return self.listen(DiagnosticArray, '/diagnostics', qos.REPORT)
