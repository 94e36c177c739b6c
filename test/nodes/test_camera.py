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

from array import array

import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image, JointState

from vla_accel_ros.inputs.views import fit_view
from vla_accel_ros.nodes.camera import Camera
from vla_accel_ros.observations import split_views
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image, image_to_array
from vla_accel_ros.ros.messages import from_ns, to_ns
from vla_accel_ros.ros.spin import EventsExecutor

MS = 1_000_000


def picture(height=48, width=64, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


class Rig:
    """A camera node between a driver and a listener."""

    def __init__(self, graph, topics=('image_raw',), **parameters):
        self.graph = graph
        self.node = graph.add(
            Camera,
            image_topics=list(topics),
            **{'image_size': 32, 'max_age': 10.0, 'max_future': 10.0, **parameters},
        )
        # Ages are counted from here, whatever time the test takes.
        self.start_ns = self.node.now_ns()
        self.frames = graph.listen(Image, 'vla/frame', qos.FRAME)
        self.drivers = [
            graph.publisher(
                CompressedImage if topic.endswith('/compressed') else Image, topic, qos.SENSOR
            )
            for topic in topics
        ]
        self.health = self.node.health

    def send(self, message, camera=0, age_ms=5, stamp_ns=None):
        """Publish a frame and return its stamp once the node has taken it."""
        taken = self.health.total('frames_received')
        stamp_ns = self.pile(message, camera, age_ms, stamp_ns)
        self.counted('frames_received', taken + 1)
        return stamp_ns

    def pile(self, message, camera=0, age_ms=5, stamp_ns=None):
        """Publish a frame and return its stamp without spinning."""
        if stamp_ns is None:
            stamp_ns = self.start_ns - age_ms * MS
        message.header.stamp = from_ns(stamp_ns)
        self.drivers[camera].publish(message)
        return stamp_ns

    def next(self, count=1):
        self.graph.until(lambda: len(self.frames) >= count, f'{count} frames')
        return self.frames[count - 1]

    def counted(self, name, total=1):
        self.graph.until(lambda: self.health.total(name) >= total, f'{total} x {name}')


def test_a_frame_is_fitted_and_keeps_its_capture_stamp(graph):
    rig = Rig(graph)
    stamp = rig.send(array_to_image(picture(), 0, 'cam'))
    frame = rig.next()
    assert to_ns(frame.header.stamp) == stamp and frame.header.frame_id == 'cam'
    assert (frame.encoding, frame.step) == ('rgb8', 96)
    np.testing.assert_array_equal(image_to_array(frame), fit_view(picture(), 32))


def test_a_padded_bgr_frame_arrives_as_rgb(graph):
    rig = Rig(graph, image_size=0)
    pixels = picture()
    rows = np.pad(pixels[..., ::-1].reshape(48, -1), ((0, 0), (0, 5)))
    rig.send(
        Image(
            height=48,
            width=64,
            step=197,
            encoding='bgr8',
            is_bigendian=True,
            data=array('B', rows.tobytes()),
        )
    )
    np.testing.assert_array_equal(image_to_array(rig.next()), pixels)


def test_a_frame_of_the_models_size_passes_untouched(graph):
    rig = Rig(graph, filter='area')
    rig.send(array_to_image(picture(32, 32), 0))
    np.testing.assert_array_equal(image_to_array(rig.next()), picture(32, 32))


def test_two_cameras_raw_and_compressed_are_stacked_with_the_oldest_stamp(graph):
    import cv2

    rig = Rig(graph, ('agent/image_raw', 'wrist/image_raw/compressed'))
    agent, wrist = picture(seed=1), picture(32, 32, seed=2)
    png = cv2.imencode('.png', wrist[..., ::-1])[1].tobytes()
    rig.send(array_to_image(agent, 0), 0, age_ms=8)
    oldest = rig.send(CompressedImage(format='png', data=array('B', png)), 1, age_ms=14)
    frame = rig.next()
    first, second = split_views(image_to_array(frame), 2)
    np.testing.assert_array_equal(first, fit_view(agent, 32))
    np.testing.assert_array_equal(second, wrist)
    assert to_ns(frame.header.stamp) == oldest


def test_views_captured_apart_are_not_paired(graph):
    rig = Rig(graph, ('a', 'b'), pair_tolerance=0.01)
    rig.send(array_to_image(picture(), 0), 0, age_ms=60)
    rig.send(array_to_image(picture(), 0), 1, age_ms=40)
    latest = rig.send(array_to_image(picture(), 0), 0, age_ms=5)
    rig.send(array_to_image(picture(), 0), 1, age_ms=0)
    assert to_ns(rig.next().header.stamp) == latest
    rig.counted('frames_dropped', 2)
    assert len(rig.frames) == 1


def garbage():
    lying = array_to_image(picture(), 0)
    lying.height += 1
    deep = array_to_image(picture(), 0)
    deep.encoding = 'mono16'
    return {'lying': lying, 'deep': deep, 'empty': Image()}


@pytest.mark.parametrize('kind', ['lying', 'deep', 'empty'])
def test_garbage_is_named_and_never_forwarded(graph, kind):
    rig = Rig(graph)
    heard = graph.diagnostics()
    rig.send(garbage()[kind])
    stamp = rig.send(array_to_image(picture(), 0), age_ms=0)
    assert to_ns(rig.next().header.stamp) == stamp and len(rig.frames) == 1
    assert rig.health.total('garbage_frame') == 1
    graph.until(
        lambda: any('garbage_frame: image_raw' in s.message for a in heard for s in a.status),
        'garbage is on /diagnostics',
    )


def test_a_picture_that_does_not_decode_is_garbage(graph):
    rig = Rig(graph, ('c/compressed',))
    rig.send(CompressedImage(format='jpeg', data=array('B', b'\xff\xd8 nothing')))
    rig.counted('garbage_frame')
    assert rig.frames == [] and rig.node.active


@pytest.mark.parametrize(
    ('age_ms', 'reason'),
    [(11_000, 'stale_frame'), (-60_000, 'future_frame'), (None, 'unstamped_frame')],
)
def test_a_frame_of_another_time_is_named_and_never_forwarded(graph, age_ms, reason):
    rig = Rig(graph)
    message = array_to_image(picture(), 0)
    rig.send(message, age_ms=age_ms, stamp_ns=0 if age_ms is None else None)
    stamp = rig.send(array_to_image(picture(), 0), age_ms=0)
    assert to_ns(rig.next().header.stamp) == stamp and len(rig.frames) == 1
    assert rig.health.total(reason) == 1


def test_a_frame_older_than_its_predecessor_is_out_of_order(graph):
    rig = Rig(graph)
    rig.send(array_to_image(picture(), 0), age_ms=5)
    rig.next()
    rig.send(array_to_image(picture(), 0), age_ms=50)
    rig.counted('out_of_order_frame')
    assert len(rig.frames) == 1


def test_of_frames_that_piled_up_the_newest_wins_and_the_others_are_counted(graph):
    rig = Rig(graph)
    for age in (40, 30, 20):
        newest = rig.pile(array_to_image(picture(), 0), age_ms=age)
    # Nothing was spun meanwhile, so all three wait in the camera's queue.
    assert to_ns(rig.next().header.stamp) == newest
    assert len(rig.frames) == 1
    assert rig.health.total('frames_dropped') == (2 if EventsExecutor else 0)


def test_silence_is_a_standing_fault_that_names_the_topic_and_ends(graph):
    rig = Rig(graph, silence=0.2)
    graph.until(lambda: 'no_frame' in rig.health.standing(), 'the silence is noticed')
    assert rig.health.standing()['no_frame'] == 'nothing on image_raw'
    rig.send(array_to_image(picture(), 0))
    rig.next()
    assert rig.health.standing() == {}


def test_frames_before_activation_are_not_forwarded(graph):
    rig = Rig(graph)
    assert graph.change_state(rig.node, 'deactivate')
    rig.pile(array_to_image(picture(), 0))
    assert graph.change_state(rig.node, 'activate')
    stamp = rig.send(array_to_image(picture(), 0), age_ms=0)
    assert to_ns(rig.next().header.stamp) == stamp


def test_settings_change_live_and_bad_ones_are_refused(graph):
    rig = Rig(graph)
    assert graph.set_parameters(rig.node, image_size=16, resize='letterbox').successful
    rig.send(array_to_image(picture(), 0))
    assert (rig.next().height, rig.next().width) == (16, 16)
    refused = graph.set_parameters(rig.node, resize='squash')
    assert not refused.successful and 'letterbox' in refused.reason


@pytest.mark.parametrize(
    ('topics', 'reason'),
    [
        (['a', 'a'], 'distinct'),
        (['1x'], "has '1x', which is no name"),
        (['a//b'], "has 'a//b'"),
        (['a b'], "has 'a b'"),
        (['{nobody}/x'], "has '{nobody}/x'"),
    ],
)
def test_a_topic_that_none_can_be_or_is_named_twice_is_refused_at_configure(graph, topics, reason):
    node = graph.add(Camera, autostart=False, image_topics=topics)
    assert not graph.change_state(node, 'configure')
    assert reason in node.health.standing()['configure_failed']


def test_views_of_different_sizes_do_not_stack_when_left_as_they_are(graph):
    rig = Rig(graph, ('a', 'b'), image_size=0)
    rig.send(array_to_image(picture(32, 32), 0), 0)
    rig.send(array_to_image(picture(16, 32), 0), 1)
    rig.counted('garbage_frame')
    assert rig.frames == []


def test_frames_of_which_none_is_usable_are_told_from_silence(graph):
    rig = Rig(graph, silence=0.2)

    def told():
        rig.drivers[0].publish(Image())
        return 'none is usable' in rig.health.standing().get('no_frame', '')

    graph.until(told, 'the fault says so')


def zipped():
    import cv2

    png = cv2.imencode('.png', picture(32, 32)[..., ::-1])[1].tobytes()
    return CompressedImage(format='png', data=array('B', png))


@pytest.fixture
def stranger(graph):
    """Give a peer in a participant of its own: in one there is one type to a topic."""
    from graph import Graph

    made = Graph()
    yield made.peer
    made.close()


@pytest.mark.parametrize(
    ('topic', 'first'),
    [
        ('pylon/image_compressed', True),
        ('pylon/image_compressed', False),
        ('raw/compressed', True),
        ('raw/compressed', False),
    ],
)
def test_the_type_of_a_topic_is_that_of_its_publisher_whatever_its_name_and_whoever_is_first(
    graph, stranger, topic, first
):
    kind, message = (
        (Image, array_to_image(picture(32, 32), 0))
        if topic.startswith('raw')
        else (CompressedImage, zipped())
    )
    driver = stranger.create_publisher(kind, topic, qos.SENSOR) if first else None
    graph.until(lambda: graph.peer.count_publishers(topic) == first, 'the driver is known')
    node = graph.add(Camera, image_topics=[topic], image_size=32, max_age=10.0, silence=0.1)
    frames = graph.listen(Image, 'vla/frame', qos.FRAME)
    if not first:
        graph.until(
            lambda: node.health.standing().get('no_frame', '').endswith('(nobody publishes it)'),
            'it is said that nobody publishes',
        )
        driver = stranger.create_publisher(kind, topic, qos.SENSOR)

    def seen():
        message.header.stamp = from_ns(node.now_ns())
        driver.publish(message)
        return frames

    graph.until(seen, 'a frame')
    np.testing.assert_array_equal(image_to_array(frames[0]), picture(32, 32))


def test_a_topic_of_a_type_that_is_no_image_is_named_with_it(graph, stranger):
    stranger.create_publisher(JointState, 'image_raw', qos.SENSOR)
    node = graph.add(Camera, silence=0.1)
    graph.until(
        lambda: (
            node.health.standing()
            .get('no_frame', '')
            .endswith('nothing on image_raw (1 publisher, of JointState)')
        ),
        'the type is named',
    )
