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
import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import deserialize_message

from vla_accel_ros.ros import publishers, qos
from vla_accel_ros.ros.diagnostics import HARDWARE_ID, STANDING
from vla_accel_ros.safety.limits import Refusal
from vla_accel_ros.safety.masters import Publishers, too_many

# Nodes report once a second; after three missing reports one is taken to hang.
SILENCE_S = 3.0
# Reports that are kept: those of some seconds, also beside a robot's drivers.
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

    def obstacles(self) -> list[Refusal]:
        """Return what stands against enabling: nobody drives the arm, or who does is not ready."""
        topic = self._actions.topic_name
        if not publishers.count(self._node, self._actions):
            return [Refusal('no_publisher', f'nobody publishes {topic}')]
        return self._reports.troubles(publishers.names(self._node, topic))


class DriverReports:
    """What the nodes that publish actions tell of themselves on `/diagnostics`.

    Nothing is known here of what they do: every node of this package lists its standing faults
    under one key, and whoever is not of this package is not asked. Messages are kept as bytes, for
    a robot's drivers may send many; they are read only when the arm is to be enabled.

    Args:
        node: The `base.Node` that listens.
    """

    def __init__(self, node) -> None:
        self._heard: deque[tuple[float, bytes]] = deque(maxlen=DEPTH)
        node.subscribe(
            DiagnosticArray,
            '/diagnostics',
            self._on_diagnostics,
            qos.REPORT,
            always=True,
            raw=True,
        )

    def troubles(self, drivers: list[str]) -> list[Refusal]:
        """Return what stands against enabling, as the drivers themselves say it.

        Args:
            drivers: Their full names.
        """
        return [trouble for name in sorted(set(drivers)) for trouble in self._of(name)]

    def _of(self, name: str) -> list[Refusal]:
        for heard_s, data in reversed(self._heard):
            if name.encode() not in data:
                continue
            for status in deserialize_message(data, DiagnosticArray).status:
                values = {pair.key: pair.value for pair in status.values}
                if (status.name, status.hardware_id) != (name, HARDWARE_ID):
                    continue
                silence_s = time.monotonic() - heard_s
                if silence_s > SILENCE_S:
                    return [Refusal(name, f'silent on /diagnostics for {silence_s:.0f} s')]
                if values.get('state') != 'active':
                    return [Refusal(name, f'is {values.get("state")}, expected active')]
                return [Refusal(name, values[STANDING])] if STANDING in values else []
        return []

    def _on_diagnostics(self, data: bytes) -> None:
        self._heard.append((time.monotonic(), data))
