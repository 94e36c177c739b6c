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


"""Who hears what the nodes tell on `/diagnostics`, in a context of its own."""

from __future__ import annotations

from collections.abc import Callable
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import rclpy
from rclpy.signals import SignalHandlerOptions

from vla_accel_ros.graph.status_page import Report, rates
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.diagnostics import HARDWARE_ID
from vla_accel_ros.ros.log_folder import ensure_log_folder
from vla_accel_ros.ros.spin import make_executor


class Listener:
    """Keeps the newest report of each node of this package.

    Args:
        namespace: The only one that counts ('/left'); all when None.
        domain: ROS domain; that of the environment when None.

    Attributes:
        reports: By the nodes' full names.
    """

    def __init__(self, namespace: str | None = None, domain: int | None = None) -> None:
        self.reports: dict[str, Report] = {}
        self._namespace = namespace
        ensure_log_folder()
        self._context = rclpy.Context()
        rclpy.init(
            args=[],
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        # Hidden from `ros2 node list`, and nothing but a listener.
        self._node = rclpy.create_node(
            '_vla_accel_status',
            context=self._context,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._executor = make_executor(self._context)
        self._executor.add_node(self._node)
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.REPORT
        )

    def until(self, holds: Callable[[], object], seconds: float) -> bool:
        """Listen until something holds; return whether it does within the time."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            self._executor.spin_once(timeout_sec=0.05)
        return True

    def close(self) -> None:
        """End the node."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.hardware_id == HARDWARE_ID:
                self._take(status)

    def _take(self, status: DiagnosticStatus) -> None:
        now = time.monotonic()
        values = {each.key: each.value for each in status.values}
        report = Report(
            status.name, int.from_bytes(status.level, 'little'), status.message, values, now
        )
        if self._namespace is not None and report.namespace != self._namespace:
            return
        before = self.reports.get(status.name)
        if before is not None:
            # A second report within a moment would make a rate of what is none.
            found = rates(before, values, now) if now - before.arrived > 0.5 else before.rates
            report = Report(report.name, report.level, report.message, values, now, found)
        self.reports[status.name] = report
