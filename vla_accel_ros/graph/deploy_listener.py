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

"""Who listens to a robot for some seconds: to its nodes, cameras and joint states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
import time

from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import CompressedImage, Image, JointState

from vla_accel_ros.deploy.robot import Facts, StateFacts
from vla_accel_ros.nodes.camera_views import Views
from vla_accel_ros.nodes.inference_facts import StateWatch
from vla_accel_ros.ros import images, publishers, qos
from vla_accel_ros.ros.facts import TOPIC, Hearer
from vla_accel_ros.ros.listener import ListenerNode
from vla_accel_ros.ros.messages import to_ns

# So often it is looked whether a camera that nobody published has a publisher now.
LOOK_S = 0.2
KINDS = {'sensor_msgs/msg/Image': Image, 'sensor_msgs/msg/CompressedImage': CompressedImage}


class DeployListener:
    """Hears what the nodes tell, and measures the drivers' topics itself.

    It publishes nothing and serves nothing.

    Args:
        namespace: Of the nodes.
        image_topics: Of the cameras, in order.
        chosen: Names of the proprioception; none takes whole messages.
        domain: ROS domain; that of the environment when None.
    """

    def __init__(
        self,
        namespace: str,
        image_topics: Sequence[str],
        chosen: Sequence[str],
        domain: int | None = None,
    ) -> None:
        self._listener = ListenerNode('_vla_accel_deploy', namespace, domain)
        self._node = self._listener.node
        self._hearer = Hearer(time.monotonic)
        self._views, self._topics = Views(image_topics), tuple(image_topics)
        self._state = StateWatch(chosen)
        self._images: dict[int, object] = {}
        listen = self._node.create_subscription
        listen(DiagnosticStatus, TOPIC, self._on_facts, qos.FACTS)
        listen(JointState, 'proprio', self._on_state, qos.SENSOR)

    def listen(self, seconds: float, enough: Callable[[Facts], bool]) -> Facts:
        """Listen and return what the nodes tell.

        Args:
            seconds: For how long at most.
            enough: Whether what is heard is all that is wanted.
        """
        end, look = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < end:
            if now >= look:
                look = now + LOOK_S
                self._look_for_cameras()
                if enough(self._hearer.facts()):
                    break
            self._listener.hear()
        return self._hearer.facts()

    def camera(self, settings: Mapping[str, object]) -> Facts:
        """Return what was measured of the cameras, beside the camera node's parameters."""
        return self._views.facts(settings)

    def state(self, tolerance_s: float) -> StateFacts:
        """Return what was measured of the proprioception."""
        return self._state.facts(tolerance_s)

    def close(self) -> None:
        """End the node."""
        self._listener.close()

    def _look_for_cameras(self) -> None:
        for index, topic in enumerate(self._topics):
            if index not in self._images:
                offered = publishers.kinds(self._node, self._node.resolve_topic_name(topic))
                kind = next((KINDS[name] for name in offered if name in KINDS), None)
                if kind is not None:
                    self._images[index] = self._node.create_subscription(
                        kind, topic, partial(self._on_image, index), qos.SENSOR
                    )

    def _on_facts(self, message: DiagnosticStatus) -> None:
        # Of another package, or of another version of this one: then it is not heard.
        with suppress(ValueError):
            self._hearer.hear(message)

    def _on_image(self, index: int, message: Image | CompressedImage) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        self._views.add(index, message, to_ns(message.header.stamp), now_ns)
        if isinstance(message, Image):
            try:
                images.check_image(message)
            except ValueError as error:
                self._views.refuse(index, str(error))

    def _on_state(self, message: JointState) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        self._state.heard(to_ns(message.header.stamp), now_ns, message.name, message.position)
