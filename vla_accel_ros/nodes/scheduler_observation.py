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

"""The observation on its way to inference: as it came, or in fewer bytes."""

from __future__ import annotations

import array
import time

from sensor_msgs.msg import CompressedImage, Image

from vla_accel_ros.inputs.compression import JPEG, PNG, compress
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import image_to_array

TOPIC = 'vla/observation'
COMPRESSED = f'{TOPIC}/compressed'
COMPRESSING = (PNG, JPEG)


class Sender:
    """Publishes observations as the parameters say; both topics are there all the time.

    Args:
        node: The scheduler node.
    """

    def __init__(self, node) -> None:
        self._node = node
        self._raw = node.advertise(Image, TOPIC, qos.CONTROL)
        self._compressed = node.advertise(CompressedImage, COMPRESSED, qos.CONTROL)

    def listeners(self) -> int:
        """Count who hears what is sent."""
        return self._in_use().get_subscription_count()

    def send(self, frame: Image) -> None:
        """Send one frame, with its own stamp."""
        kind = self._node.settings['observation']
        if kind not in COMPRESSING:
            self._raw.publish(frame)
            return
        begun = time.perf_counter()
        data = compress(image_to_array(frame), kind, self._node.settings['observation_quality'])
        message = CompressedImage(header=frame.header, format=f'rgb8; {kind} compressed bgr8')
        message.data = array.array('B', data)
        self._compressed.publish(message)
        self._node.health.figure('compress_ms', 1e3 * (time.perf_counter() - begun))
        self._node.health.figure('observation_bytes', len(data))

    def _in_use(self):
        compresses = self._node.settings['observation'] in COMPRESSING
        return self._compressed if compresses else self._raw
