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

from vla_accel_ros.graph.status_page import Report, rates, served
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.diagnostics import HARDWARE_ID
from vla_accel_ros.ros.listener import ListenerNode


class Listener:
    """Keeps the newest report of each node of this package.

    Args:
        namespace: The only one that counts ('/left'), with the inference node that serves it;
            all when None.
        domain: ROS domain; that of the environment when None.

    Attributes:
        reports: By the nodes' full names.
    """

    def __init__(self, namespace: str | None = None, domain: int | None = None) -> None:
        self.reports: dict[str, Report] = {}
        self._namespace = namespace
        self._listener = ListenerNode('_vla_accel_status', domain=domain)
        self._listener.node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.REPORT
        )

    def until(self, holds: Callable[[], object], seconds: float) -> bool:
        """Listen until something holds; return whether it does within the time."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            self._listener.hear()
        return True

    def close(self) -> None:
        """End the node."""
        self._listener.close()

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
        if self._namespace not in (None, report.namespace, *served(report)):
            return
        before = self.reports.get(status.name)
        if before is not None:
            # A second report within a moment would make a rate of what is none.
            found = rates(before, values, now) if now - before.arrived > 0.5 else before.rates
            report = Report(report.name, report.level, report.message, values, now, found)
        self.reports[status.name] = report
