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

"""What is seen of camera topics: encoding, size, rate, age, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sensor_msgs.msg import CompressedImage, Image

from vla_accel_ros.deploy.meter import Meter, SkewMeter
from vla_accel_ros.deploy.robot import CameraFacts, Facts, View

COMPRESSED = 'compressed'
# Of a picture every so many bytes are looked at, to tell it from the one before.
STRIDE = 997
# Parameters that are fields of the facts, by the same name.
PARAMETERS = ('image_size', 'resize', 'centre_crop', 'pair_tolerance', 'max_age', 'max_future')


class Views:
    """Measures the messages of all views.

    Args:
        topics: Their names, in order.
    """

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = tuple(topics)
        self._skew = SkewMeter(len(self._topics))
        self._meters = [Meter() for _ in self._topics]
        self._pictures = [('', 0, 0)] * len(self._topics)
        self._refused = [''] * len(self._topics)
        self._sampled = [b''] * len(self._topics)
        self._same = [0] * len(self._topics)

    def clear(self) -> None:
        """Forget what was measured; what the pictures are stays."""
        self._skew.clear()
        for meter in self._meters:
            meter.clear()

    def add(
        self, index: int, message: Image | CompressedImage, stamp_ns: int, now_ns: int
    ) -> None:
        """Take note of a message of a view, good or not.

        Args:
            index: Place of the view.
            message: The picture.
            stamp_ns: Its stamp, nanoseconds.
            now_ns: The present on the same clock.
        """
        self._meters[index].add(stamp_ns, now_ns)
        self._skew.add(index, stamp_ns)
        self._refused[index] = ''
        sample = bytes(message.data[::STRIDE])
        self._same[index] = self._same[index] + 1 if sample == self._sampled[index] else 0
        self._sampled[index] = sample
        if isinstance(message, Image):
            self._pictures[index] = (message.encoding, message.width, message.height)
        else:
            self._pictures[index] = (COMPRESSED, 0, 0)

    def refuse(self, index: int, why: str) -> None:
        """Take note that the newest picture of a view cannot be read."""
        self._refused[index] = why

    def facts(self, settings: Mapping[str, object]) -> Facts:
        """Return what is known.

        Args:
            settings: The node's parameters by name.
        """
        views = tuple(
            View(topic, *picture, refused, meter.stream(), same)
            for topic, picture, refused, meter, same in zip(
                self._topics, self._pictures, self._refused, self._meters, self._same, strict=True
            )
        )
        parameters = {name: settings[name] for name in PARAMETERS}
        return Facts(camera=CameraFacts(views, **parameters, skew_s=self._skew.skew_s))
