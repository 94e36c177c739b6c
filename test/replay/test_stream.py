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

"""A bag as the policy sees it."""

import bags
import numpy as np
import pytest

from vla_accel_ros.replay.bag.raw import BagError
from vla_accel_ros.replay.bag.reader import Bag
from vla_accel_ros.replay.stream import Fitting, Stream
from vla_accel_ros.replay.topics import Wishes, assign

NS, STEP, START = bags.NS, bags.STEP, bags.START


def stream(tmp_path, lines, cameras=1, said='', size=0, **options):
    bag = Bag(bags.write(tmp_path / 'bag', lines))
    roles = assign(bag.topics, Wishes(said=said), cameras)
    return Stream(bag, roles, Fitting(size), said, **options)


def seen(moments):
    return [m.observation for m in moments if m.observation is not None]


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8'])
def test_every_encoding_and_padding_is_seen_as_rgb(tmp_path, encoding, padding):
    rgb = bags.picture(1, 8)
    alpha = np.full((8, 8, 1), 9, np.uint8)
    stored = {
        'rgb8': rgb,
        'bgr8': rgb[..., ::-1],
        'rgba8': np.concatenate([rgb, alpha], 2),
        'bgra8': np.concatenate([rgb[..., ::-1], alpha], 2),
        'mono8': rgb[..., :1],
    }[encoding]
    expected = np.repeat(rgb[..., :1], 3, 2) if encoding == 'mono8' else rgb
    lines = [bags.image('/camera', START, np.ascontiguousarray(stored), encoding, padding)]
    (observation,) = seen(stream(tmp_path, lines, said='pour'))
    np.testing.assert_array_equal(observation.images[0], expected)


@pytest.mark.parametrize(('suffix', 'tolerance'), [('.png', 0), ('.jpg', 40)])
def test_compressed_pictures_are_seen(tmp_path, suffix, tolerance):
    smooth = np.full((16, 16, 3), (200, 90, 20), np.uint8)
    lines = [bags.compressed('/camera/compressed', START, smooth, suffix)]
    (observation,) = seen(stream(tmp_path, lines, said='pour'))
    assert np.abs(observation.images[0].astype(int) - smooth).max() <= tolerance


def test_views_are_paired_and_fitted_and_samples_come_with_them(tmp_path):
    moments = list(stream(tmp_path, bags.recording(8), 2, size=16))
    observations = seen(moments)
    assert [o.stamp_ns for o in observations] == [START + k * STEP for k in range(8)]
    assert all(view.shape == (16, 16, 3) for o in observations for view in o.images)
    assert observations[0].instruction == 'pick up the red cube'
    samples = [sample for m in moments for sample in m.samples]
    assert [s.stamp_ns for s in samples] == [START + k * STEP for k in range(8)]
    values, step_s = samples[3].value
    assert values.tolist() == bags.action(3) and step_s == 0.05
    assert moments[-1].observation is None and moments[-1].number == 8


def test_the_given_instruction_needs_no_topic_and_topics_change_it_in_their_order(tmp_path):
    lines = bags.recording(2) + bags.recording(2, text='stack', start=START + NS)
    texts = [o.instruction for o in seen(stream(tmp_path, lines, 2))]
    assert texts == ['pick up the red cube'] * 2 + ['stack'] * 2


def test_messages_without_a_stamp_are_placed_by_the_recorders_clock(tmp_path):
    late = 3600 * NS
    lines = [bags.image('/camera', START + k * STEP, bags.picture(k)) for k in range(4)]
    lines += [bags.number('/gripper', START + 2 * STEP, 1.0)]
    lines += [bags.string('/task', START - STEP, 'pour')]
    for line in lines:
        line.log_ns = line.stamp_ns + late
    samples = [s for m in stream(tmp_path, lines) for s in m.samples]
    assert [(s.role, s.stamp_ns) for s in samples] == [('gripper', START + 2 * STEP)]


def test_unstamped_frames_take_the_recorders_time(tmp_path):
    lines = [bags.image('/camera', 0, bags.picture(k)) for k in range(3)]
    for k, line in enumerate(lines):
        line.log_ns = START + k * STEP
    observations = seen(stream(tmp_path, lines, said='pour'))
    assert [o.stamp_ns for o in observations] == [START + k * STEP for k in range(3)]


def test_frames_out_of_order_are_left_out_and_counted(tmp_path):
    order = [0, 1, 3, 2, 4]
    lines = [bags.image('/camera', START + k * STEP, bags.picture(k)) for k in order]
    for k, line in enumerate(lines):
        line.log_ns = START + k * STEP
    made = stream(tmp_path, lines, said='pour')
    assert [(o.stamp_ns - START) // STEP for o in seen(made)] == [0, 1, 3, 4]
    assert made.faults.counts['out_of_order'] == 1


def test_frames_that_do_not_decode_are_left_out_and_the_first_is_explained(tmp_path):
    lines = [bags.image('/camera', START + k * STEP, bags.picture(k)) for k in range(4)]
    lines[1].message.encoding = '32FC1'
    lines[2].message.height = 9
    made = stream(tmp_path, lines, said='pour')
    assert len(seen(made)) == 2
    assert made.faults.lines() == [
        "2 x bad_frame: /camera: encoding is '32FC1', expected one of rgb8, bgr8, rgba8, bgra8, "
        'mono8'
    ]


def test_a_bag_of_unusable_frames_is_refused_with_the_reason(tmp_path):
    lines = [bags.image('/camera', START + k * STEP, bags.picture(k), '16UC1') for k in range(3)]
    with pytest.raises(BagError, match=r"not one of the observations.*encoding is '16UC1'"):
        list(stream(tmp_path, lines, said='pour'))


def test_frames_before_the_first_instruction_are_not_asked_about(tmp_path):
    lines = [bags.image('/camera', START + k * STEP, bags.picture(k)) for k in range(4)]
    lines.append(bags.string('/task', START + STEP + 1, 'pour'))
    made = stream(tmp_path, lines)
    assert len(seen(made)) == 2 and made.faults.counts['no_instruction'] == 2


def test_messages_that_are_no_message_are_counted(tmp_path, monkeypatch):
    lines = bags.recording(3)
    lines[3].message.joint_names[0] = 'elbow'
    made = stream(tmp_path, lines, 2)
    assert len(seen(made)) == 3
    assert "/vla/action: columns are ['elbow'" in made.faults.first['unreadable']


def test_observations_that_were_replayed_already_are_counted_and_not_decoded(tmp_path):
    made = stream(tmp_path, bags.recording(6), 2, skip=4, known={'bad_frame': (2, 'earlier')})
    moments = list(made)
    assert [m.number for m in moments if m.observation is not None] == [5, 6]
    assert made.faults.counts['bad_frame'] == 2


def test_proprioception_is_that_of_the_frame_and_frames_without_are_left_out(tmp_path):
    lines = []
    for k in range(4):
        ns = START + k * bags.STEP
        if k < 2:
            lines.append(bags.joints('/proprio', ns, a=k, b=10.0 + k))
        lines.append(bags.image('/camera', ns + 6 * bags.STEP * (k == 3), bags.picture(k)))
    bag = Bag(bags.write(tmp_path / 'bag', lines))
    roles = assign(bag.topics, Wishes(said='pour'), 1, proprio=True)
    made = Stream(bag, roles, Fitting(0), 'pour', proprio_names=['b'])
    assert [o.proprio.tolist() for o in seen(made)] == [[10.0], [11.0], [11.0]]
    assert made.faults.counts['no_proprio'] == 1
