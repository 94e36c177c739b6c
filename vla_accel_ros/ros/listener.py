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

"""A node that only listens, in a context of its own, for tools beside a running graph."""

from __future__ import annotations

import rclpy
from rclpy.signals import SignalHandlerOptions

from vla_accel_ros.ros import enclave
from vla_accel_ros.ros.log_folder import ensure_log_folder
from vla_accel_ros.ros.spin import make_executor


class ListenerNode:
    """A hidden node (`ros2 node list` leaves it out) that serves and logs nothing.

    Args:
        name: Begins with `_`, which hides it.
        namespace: Of its relative topics; none when None.
        domain: ROS domain; that of the environment when None.

    Attributes:
        node: To subscribe with.
    """

    def __init__(self, name: str, namespace: str | None = None, domain: int | None = None) -> None:
        ensure_log_folder()
        self._context = rclpy.Context()
        rclpy.init(
            args=['--ros-args', *enclave.arguments(enclave.VIEWER, namespace or '')],
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = rclpy.create_node(
            name,
            namespace=namespace or None,
            context=self._context,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._executor = make_executor(self._context)
        self._executor.add_node(self.node)

    def hear(self, timeout_s: float = 0.05) -> None:
        """Take in one message, if one arrives within the time."""
        self._executor.spin_once(timeout_sec=timeout_s)

    def close(self) -> None:
        """End the node."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
