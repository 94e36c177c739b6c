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
"""The service `GetActionChunk` of MoveIt Pro, for a session that knows nothing of ROS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from vla_accel_ros.ros.domain import domain_of_environment
from vla_accel_ros.ros.log_folder import ensure_log_folder
from vla_accel_ros.ros.spin import StopSignal, make_executor, spin

PACKAGE = 'moveit_pro_ml_msgs'
# The contract's fields and constants, as far as they are read or filled here.
REQUEST = (
    *('robot_state', 'images', 'image_names', 'prompt', 'new_episode', 'previous_action_chunk'),
    *('frozen_prefix_steps', 'guidance_horizon'),
)
RESPONSE = (
    *('status', 'message', 'chunk', 'native_control_period', 'policy_action_chunk'),
    *('CHUNK_PRODUCED', 'ERROR'),
)
Answer = Callable[[Any, Any], Any]


def contract() -> Any:
    """Import the service's type.

    Raises:
        ValueError: When the package is not there, or its fields are not those of the contract.
    """
    try:
        kind = import_module(f'{PACKAGE}.srv').GetActionChunk
    except ModuleNotFoundError as error:
        raise ValueError(
            f'{error.name} is not installed, expected {PACKAGE} with srv/GetActionChunk: it comes '
            "with MoveIt Pro, source that workspace's setup.bash"
        ) from None
    check_fields(kind.Request, REQUEST)
    check_fields(kind.Response, RESPONSE)
    return kind


def check_fields(message: type, wanted: tuple[str, ...]) -> None:
    """Check that a message has the fields that are read or filled.

    Raises:
        ValueError: When one is missing; the message names it.
    """
    if lacking := [name for name in wanted if not hasattr(message, name)]:
        raise ValueError(
            f'{message.__name__} of {PACKAGE} has no {", ".join(lacking)}, expected '
            f'{", ".join(wanted)}: it is of another version'
        )


class ChunkServer(Node):
    """Serves one robot; requests are answered one after the other.

    Args:
        kind: The service's type.
        service: Its name.
        answer: Fills a response to a request.
        kwargs: As for `rclpy.node.Node`.
    """

    def __init__(self, kind: Any, service: str, answer: Answer, **kwargs: Any) -> None:
        super().__init__('action_chunk', **kwargs)
        self.create_service(kind, service, answer)


def makers() -> Mapping[str, Callable[[], Any]]:
    """Give what makes the messages inside a response."""
    from std_msgs.msg import MultiArrayDimension
    from trajectory_msgs.msg import JointTrajectoryPoint

    return {'new_point': JointTrajectoryPoint, 'new_dimension': MultiArrayDimension}


def run(
    kind: Any, service: str, answer: Answer, started: Callable[[], object], say: Callable
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        kind: The service's type.
        service: Its name.
        answer: Fills a response to a request; called in this thread.
        started: Called once the service is there.
        say: Told what a request failed with that is a defect of ours.

    Raises:
        ValueError: When the environment's ROS domain is none.
    """
    domain_of_environment()
    ensure_log_folder()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = ChunkServer(kind, service, answer)
    executor = make_executor()
    executor.add_node(node)
    try:
        with StopSignal() as stop:
            started()
            spin(executor, lambda: bool(stop), lambda error: say(f'{error!r}'))
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
