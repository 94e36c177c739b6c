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

"""The camera node: the drivers' frames in, one observation at the model's size out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
import sys
from time import monotonic

from rclpy.exceptions import NameValidationException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.validate_full_topic_name import validate_full_topic_name
from sensor_msgs.msg import CompressedImage, Image

from vla_accel_ros.inputs import camera_pairing as frames
from vla_accel_ros.inputs.views import fit_view
from vla_accel_ros.nodes.camera_settings import SETTINGS
from vla_accel_ros.nodes.camera_views import Views
from vla_accel_ros.observations import stack_views
from vla_accel_ros.ros import images, publishers, qos
from vla_accel_ros.ros.base import Node, run
from vla_accel_ros.ros.facts import Teller
from vla_accel_ros.ros.messages import NS, to_ns
from vla_accel_ros.ros.spin import EventsExecutor


class Camera(Node):
    """Pairs, checks, fits and stacks the newest frames.

    Publishes `vla/frame` with the oldest capture stamp of the views. Garbage, stale, future,
    unstamped and out-of-order frames are counted by these names and never forwarded.
    """

    NAME = 'camera'
    SETTINGS = SETTINGS

    def check(self, settings: Mapping[str, object]) -> None:
        """Refuse a topic that none can be, or that is named twice: the second would never pair."""
        topics = settings['image_topics']
        if len(set(topics)) < len(topics) or '' in topics:
            raise ValueError(f'image_topics = {topics}, expected distinct names')
        for topic in topics:
            try:
                validate_full_topic_name(expand_topic_name(topic, self.NAME, '/'))
            except (ValueError, NameValidationException) as error:
                # Before the reason stands the name once more, behind it rcl's own source line.
                why = str(error).partition(': ')[2].splitlines()[0].partition(', at /')[0]
                raise ValueError(
                    f'image_topics has {topic!r}, which is no name of a topic: {why}'
                ) from None

    def configure(self) -> None:
        """Subscribe to the cameras."""
        topics = self.settings['image_topics']
        self._pairer = frames.FramePairer(len(topics), 0)
        self._ready: frames.FrameSet | None = None
        self._heard = [monotonic()] * len(topics)
        self._forwarded = monotonic()
        self._counted: dict[str, int] = {}
        self._views = Views(topics)
        self.apply(self.settings)
        self._frame = self.advertise(Image, 'vla/frame', qos.FRAME)
        self._sources = [self._listen(index) for index in range(len(topics))]
        self.every(0.1, self._watch)
        self._teller = Teller(self, lambda: self._views.facts(self.settings))

    def activate(self) -> None:
        """Begin afresh: what was seen before a pause has no partners any more."""
        self._pairer.reset()
        self._ready = None
        self._heard = [monotonic()] * len(self._heard)
        self._forwarded = monotonic()
        self._views.clear()

    def deactivate(self) -> None:
        """Silence is what is wanted of an inactive camera."""
        self.health.clear('no_frame')

    def apply(self, changed: Mapping[str, object]) -> None:
        """Take over live settings; the rest is read where it is used."""
        self._pairer.tolerance_ns = round(self.settings['pair_tolerance'] * NS)

    def _listen(self, index: int):
        """Subscribe to a camera, with the type that its publishers have."""
        topic = self.settings['image_topics'][index]
        offered = publishers.kinds(self, self.resolve_topic_name(topic))
        by_name = CompressedImage if topic.endswith('/compressed') else Image
        kinds = sorted((Image, CompressedImage), key=lambda kind: kind is not by_name)
        kind = next((kind for kind in kinds if _name_of(kind) in offered), by_name)
        # Without the events executor only a queue of one lets the newest win, and what it drops
        # goes uncounted: the other executor runs callbacks between two messages of a queue.
        profile = qos.SENSOR if EventsExecutor else qos.FRAME
        return self.subscribe(kind, topic, partial(self._on_image, index), profile)

    def _look_at_publishers(self, index: int) -> str:
        """Say why a topic may be silent; listen anew if its publishers have another type."""
        if self._sources[index] is None:
            self._sources[index] = self._listen(index)
        source = self._sources[index]
        offered = publishers.kinds(self, source.topic_name)
        if not offered:
            return ' (nobody publishes it)'
        if _name_of(source.msg_type) in offered:
            return ''
        if {_name_of(Image), _name_of(CompressedImage)} & set(offered):
            # The executor lets go of it only after this callback, and until then the topic
            # keeps its type: the next call listens anew.
            self._sources[index] = None
            self.destroy_subscription(source)
        number = f'{len(offered)} publisher{"s" * (len(offered) > 1)}'
        return f' ({number}, of {", ".join(sorted({k.rpartition("/")[2] for k in offered}))})'

    def _on_image(self, index: int, message: Image | CompressedImage) -> None:
        topic = self.settings['image_topics'][index]
        self._heard[index] = monotonic()
        self.health.count('frames_received')
        stamp_ns, now_ns = to_ns(message.header.stamp), self.now_ns()
        self._views.add(index, message, stamp_ns, now_ns)
        fault = frames.age_fault(
            stamp_ns,
            now_ns,
            round(self.settings['max_age'] * NS),
            round(self.settings['max_future'] * NS),
        )
        if fault:
            self.health.event(fault, f'{topic} is {(now_ns - stamp_ns) / NS:.3f} s old')
            return
        if isinstance(message, Image):
            try:
                images.check_image(message)
            except ValueError as error:
                self._refuse(index, error)
                return
        paired = self._pairer.add(index, stamp_ns, message)
        self._count_drops()
        if paired is None:
            return
        if self._ready is None:
            # After whatever else has come in meanwhile, so that the newest set wins.
            self.executor.create_task(self._forward)
        else:
            self.health.count('frames_dropped', len(paired.frames))
        self._ready = paired

    def _forward(self) -> None:
        ready, self._ready = self._ready, None
        if ready is None or not self.active:
            return
        try:
            message = self._compose(ready)
        except Exception as error:
            self.report(error)
            return
        if message is None:
            return
        self._frame.publish(message)
        self._forwarded = monotonic()
        self.health.clear('no_frame')
        self.health.count('frames_forwarded')
        age_ms = (self.now_ns() - ready.stamp_ns) / 1e6
        self.health.figure('age_ms', age_ms)
        self.get_logger().debug(f'frame {ready.stamp_ns} ns forwarded, {age_ms:.1f} ms old')

    def _compose(self, ready: frames.FrameSet) -> Image | None:
        size = self.settings['image_size']
        if len(ready.frames) == 1 and self._fits_as_it_is(ready.frames[0], size):
            return ready.frames[0]
        views = []
        for index, message in enumerate(ready.frames):
            try:
                views.append(
                    fit_view(
                        images.image_to_array(message)
                        if isinstance(message, Image)
                        else images.compressed_to_array(message),
                        size,
                        self.settings['resize'],
                        self.settings['filter'],
                        self.settings['centre_crop'],
                    )
                )
            except ValueError as error:
                self._refuse(index, error)
                return None
        try:
            stacked = stack_views(views)
        except ValueError as error:
            self._garbage('image_size = 0', error)
            return None
        return images.array_to_image(stacked, ready.stamp_ns, ready.frames[0].header.frame_id)

    def _fits_as_it_is(self, message: Image | CompressedImage, size: int) -> bool:
        return (
            isinstance(message, Image)
            and message.encoding == 'rgb8'
            and message.step == 3 * message.width
            and self.settings['centre_crop'] == 1
            and size in (0, message.height)
            and size in (0, message.width)
        )

    def _refuse(self, index: int, error: ValueError) -> None:
        self._views.refuse(index, str(error))
        self._garbage(self.settings['image_topics'][index], error)

    def _garbage(self, topic: str, error: ValueError) -> None:
        self.health.event('garbage_frame', f'{topic}: {error}')
        self.get_logger().warning(f'garbage frame on {topic}: {error}', throttle_duration_sec=5.0)

    def _count_drops(self) -> None:
        for name, total in self._pairer.counts.items():
            new = total - self._counted.get(name, 0)
            if new and name == 'out_of_order':
                self.health.event('out_of_order_frame', count=new)
            elif new:
                self.health.count('frames_dropped', new)
            self._counted[name] = total

    def _watch(self) -> None:
        if not self.active:
            return
        now, silence = monotonic(), self.settings['silence']
        if now - self._forwarded <= silence:
            return
        silent = [
            topic + self._look_at_publishers(index)
            for index, topic in enumerate(self.settings['image_topics'])
            if now - self._heard[index] > silence
        ]
        self.health.fault(
            'no_frame',
            f'nothing on {", ".join(silent)}' if silent else 'frames arrive, none is usable',
            renew=True,
        )


def _name_of(kind: type) -> str:
    """Return a message type as the graph names it."""
    package, folder, _ = kind.__module__.split('.', 2)
    return f'{package}/{folder}/{kind.__name__}'


def main(argv: list[str] | None = None) -> int:
    """Run the camera node as a process."""
    return run(Camera, argv, below_arm=2)


if __name__ == '__main__':
    sys.exit(main())
