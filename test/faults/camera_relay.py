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

"""Between the embedded arm's cameras and the camera node: what a bad camera would do."""

from collections.abc import Callable
from functools import partial

from sensor_msgs.msg import Image

from vla_accel_ros.ros import qos

SOURCES = ('image_raw', 'wrist/image_raw')


class CameraRelay:
    """Hands each image on, unless told to drop it or to make something else of it.

    Attributes:
        spoil: Given the number of the camera (0 agent, 1 wrist) and the image; returns what is
            published in its place, None for nothing.
    """

    TOPICS = tuple(f'relay/{topic}' for topic in SOURCES)

    def __init__(self, rig) -> None:
        self.clear()
        node = rig.peer
        self._publishers = [
            node.create_publisher(Image, topic, qos.SENSOR) for topic in self.TOPICS
        ]
        for number, topic in enumerate(SOURCES):
            node.create_subscription(Image, topic, partial(self._on_image, number), qos.SENSOR)

    def clear(self) -> None:
        """Hand on every image as it is."""
        self.spoil: Callable[[int, Image], Image | None] = lambda _number, image: image

    def _on_image(self, number: int, image: Image) -> None:
        image = self.spoil(number, image)
        if image is not None:
            self._publishers[number].publish(image)
