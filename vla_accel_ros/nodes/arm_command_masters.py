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

"""Who else commands the arm, as the ROS graph knows it, and what the one who drives it reports."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import deserialize_message

from vla_accel_ros.ros import publishers, qos
from vla_accel_ros.ros.diagnostics import HARDWARE_ID, STANDING
from vla_accel_ros.safety.limits import Refusal
from vla_accel_ros.safety.masters import Publishers, too_many

# Nodes report once a second; after three missing reports one is taken to hang.
SILENCE_S = 3.0
# Reports that are kept as they come, to be looked through for a driver that is new.
DEPTH = 100


class Masters:
    """Counts who publishes the topics that move the arm, and knows what the driver reports.

    Args:
        node: The `base.Node` that asks.
        actions: Its subscription to the actions.
        outputs: Its own publishers to the arm.
    """

    def __init__(self, node, actions, outputs) -> None:
        self._node, self._actions = node, actions
        self._outputs = tuple(publisher.topic_name for publisher in outputs)
        self._reports = DriverReports(node)

    def several(self) -> str:
        """Say which topics have too many publishers; empty when none has."""
        node = self._node
        most, beside = node.settings['max_publishers.action'], node.settings['max_publishers.arm']
        found = [
            (
                self._actions.topic_name,
                publishers.count(node, self._actions),
                most,
                'max_publishers.action',
            )
        ]
        found += [
            (topic, node.count_publishers(topic), beside, 'max_publishers.arm')
            for topic in self._outputs
        ]
        return too_many(
            Publishers(*each, publishers.names(node, each[0]))
            for each in found
            if each[1] > each[2]
        )

    def look(self) -> None:
        """See who drives the arm, so that what they report is kept; called once a second."""
        self._reports.watch(publishers.names(self._node, self._actions.topic_name))

    def obstacles(self) -> list[Refusal]:
        """Return what stands against enabling: nobody drives the arm, or who does is not ready."""
        if not publishers.count(self._node, self._actions):
            return [Refusal('no_publisher', f'nobody publishes {self._actions.topic_name}')]
        self.look()
        return self._reports.troubles()


class DriverReports:
    """What the nodes that publish actions tell of themselves on `/diagnostics`.

    Nothing is known here of what they do: every node of this package lists its standing faults
    under one key, and whoever is not of this package is not asked. Of each driver the newest
    report is kept, however many others report: one that has fallen silent stays known as such.
    A robot's other nodes may send many, so only messages with a driver's name in them are read.

    Args:
        node: The `base.Node` that listens.
    """

    def __init__(self, node) -> None:
        self._heard: deque[tuple[float, bytes]] = deque(maxlen=DEPTH)
        self._newest: dict[str, tuple[float, dict[str, str]]] = {}
        self._drivers: frozenset[str] = frozenset()
        node.subscribe(
            DiagnosticArray,
            '/diagnostics',
            self._on_diagnostics,
            qos.REPORT,
            always=True,
            raw=True,
        )

    def watch(self, drivers: Iterable[str]) -> None:
        """Keep what these report from now on, and what they reported lately.

        Args:
            drivers: Their full names.
        """
        found = frozenset(drivers)
        if not found or publishers.UNKNOWN in found:
            # Discovery does not know all names: one that is hidden now is not forgotten.
            found |= self._drivers
        before, self._drivers = self._drivers, found
        for gone in self._newest.keys() - found:
            del self._newest[gone]
        for name in found - before:
            for heard_s, data in self._heard:
                self._note(name, heard_s, data)

    def troubles(self) -> list[Refusal]:
        """Return what stands against enabling the arm, as its drivers themselves say it."""
        return [trouble for name in sorted(self._newest) for trouble in self._of(name)]

    def _of(self, name: str) -> list[Refusal]:
        heard_s, values = self._newest[name]
        silence_s = time.monotonic() - heard_s
        if silence_s > SILENCE_S:
            return [Refusal(name, f'silent on /diagnostics for {silence_s:.0f} s')]
        if values.get('state') != 'active':
            return [Refusal(name, f'is {values.get("state")}, expected active')]
        return [Refusal(name, values[STANDING])] if STANDING in values else []

    def _on_diagnostics(self, data: bytes) -> None:
        heard_s = time.monotonic()
        self._heard.append((heard_s, data))
        for name in self._drivers:
            self._note(name, heard_s, data)

    def _note(self, name: str, heard_s: float, data: bytes) -> None:
        """Keep a message if it is the driver's report."""
        if name.encode() not in data:
            return
        try:
            statuses = deserialize_message(data, DiagnosticArray).status
        except Exception:  # of the middleware's own kind: bytes that are no such message
            return
        for status in statuses:
            if (status.name, status.hardware_id) == (name, HARDWARE_ID):
                self._newest[name] = heard_s, {pair.key: pair.value for pair in status.values}
                return
