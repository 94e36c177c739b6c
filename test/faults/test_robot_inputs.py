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

"""The whole graph on the embedded arm, fed with garbage: images, answers, instructions."""

from arm_recorder import NS
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory
from wandering import INSTRUCTION

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import chunk_to_message, from_ns, message_to_request, to_ns


@pytest.fixture
def rig(robot_in_motion):
    return robot_in_motion


def stamped(offset_ns):
    """Shift the stamps of every image."""

    def spoil(_number, image):
        image.header.stamp = from_ns(to_ns(image.header.stamp) + offset_ns)
        return image

    return spoil


def without(image, **fields):
    for name, value in fields.items():
        setattr(image, name, value)
    return image


def unstamped(_number, image):
    image.header.stamp = from_ns(0)
    return image


def only_agent(number, image):
    return None if number else image


def apart(number, image):
    """Let the two cameras take turns: no two images are of one instant."""
    grid_ns = NS // 20
    phase_ns = grid_ns // 2 * number
    image.header.stamp = from_ns(to_ns(image.header.stamp) // grid_ns * grid_ns - phase_ns)
    return image


class Stuck:
    """A driver that publishes one image for ever."""

    def __init__(self):
        self.first = {}

    def __call__(self, number, image):
        return self.first.setdefault(number, image)


class Garbage:
    """Image after image with another contradiction in it."""

    KINDS = (
        {'encoding': 'banana'},
        {'encoding': '16UC1'},
        {'height': 0},
        {'width': 10_000},
        {'step': 1},
        {'height': 65_535, 'width': 65_535, 'step': 196_605},
        {'data': b''},
    )

    def __init__(self):
        self.sent = 0

    def __call__(self, _number, image):
        self.sent += 1
        return without(image, **self.KINDS[self.sent // 2 % len(self.KINDS)])


@pytest.mark.parametrize(
    ('spoil', 'reason', 'detail'),
    [
        (lambda *_: None, 'no_frame', 'nothing on relay/image_raw, relay/wrist/image_raw'),
        (only_agent, 'no_frame', 'nothing on relay/wrist/image_raw'),
        (apart, 'no_frame', 'none is usable'),
        (Stuck, 'out_of_order_frame', ''),
        (stamped(-5 * NS), 'stale_frame', 'old'),
        (stamped(60 * NS), 'future_frame', ''),
        (unstamped, 'unstamped_frame', ''),
        (Garbage, 'garbage_frame', ''),
    ],
    ids=['silent', 'one eye', 'apart', 'stuck', 'stale', 'future', 'unstamped', 'garbage'],
)
def test_a_bad_camera_is_zero_in_time_with_its_reason_and_a_good_one_moves_the_arm_again(
    rig, spoil, reason, detail
):
    # What remembers images begins anew with each run of the test.
    rig.relay.spoil = spoil() if isinstance(spoil, type) else spoil
    rig.rests()
    rig.tells('camera', reason, detail)
    rig.tells('arm_command', 'watchdog')
    rig.relay.clear()
    rig.moves()
    if reason == 'no_frame':
        rig.quiet('camera', reason)


def test_garbage_amid_good_images_is_refused_and_the_motion_goes_on(rig):
    garbage, turn = Garbage(), [0]

    def spoil(number, image):
        turn[0] += 1
        # One image in seven, of either camera in turn.
        return image if turn[0] % 7 else garbage(number, image)

    rig.relay.spoil = spoil
    rig.until(lambda: garbage.sent > 2 * len(garbage.KINDS), 'every kind was sent')
    rig.tells('camera', 'garbage_frame')
    rig.moves()


def test_noise_of_any_size_and_encoding_is_within_the_limits(rig):
    noise = np.random.default_rng(0)

    def spoil(_number, image):
        width = int(noise.integers(1, 400))
        pixels = noise.integers(0, 256, (int(noise.integers(1, 400)), width, 3), np.uint8)
        made = array_to_image(pixels, to_ns(image.header.stamp))
        made.encoding = ('rgb8', 'bgr8')[width % 2]
        return made

    rig.relay.spoil = spoil
    rig.moves()
    rig.moves()


def test_frames_of_a_size_that_the_model_does_not_take_are_refused_until_it_is_mended(rig):
    right = rig.get('camera', 'image_size')
    assert rig.set('camera', image_size=right + 8).successful
    rig.rests()
    rig.tells('inference', 'wrong_frame', f'of {right}x{right}')
    assert rig.set('camera', image_size=right).successful
    rig.moves()


# -- answers and instructions ------------------------------------------------------------------


def test_answers_that_no_arm_should_follow_move_nothing_and_have_their_reason(rig):
    # The VLA is out of the way, and someone answers in its place.
    for transition in ('deactivate', 'cleanup'):
        assert rig.change('inference', transition)
    # The predictor may still take the steps that it was trusted with.
    rig.rests()
    rested_ns = rig.now_ns()
    answers = rig.publisher(JointTrajectory, 'vla/action_chunk', qos.CONTROL)
    value = [np.nan]

    def answer(message):
        if value:
            stamp_ns = message_to_request(message).stamp_ns
            row = [value[0], 0, 0, 0, 0, 0, 0]
            answers.publish(chunk_to_message(ActionChunk([row], stamp_ns), 0.05, 'base_link'))

    rig.peer.create_subscription(JointTrajectory, 'vla/request', answer, qos.CONTROL)
    for value[0], node, reason, detail in (
        (np.nan, 'scheduler', 'answer_discarded', 'nan_or_inf'),
        (np.inf, 'scheduler', 'answer_discarded', 'nan_or_inf'),
        (5.0, 'scheduler', 'malformed_message', 'x = 5 in row 0'),
        (0.5, 'arm_command', 'translation_step', ''),
    ):
        rig.reports.mark()
        rig.tells(node, reason, detail)
    value.clear()
    assert rig.recorder.last_motion_ns < rested_ns
    rig.peer.destroy_publisher(answers)
    for transition in ('configure', 'activate'):
        assert rig.change('inference', transition)
    rig.moves()


def test_a_second_vla_is_zero_in_time_and_the_arm_moves_again_when_it_is_gone(rig):
    unknown = chunk_to_message(ActionChunk([[0.04] * 6 + [1]] * 8, 1), 0.05, 'base_link')
    others = JointTrajectory(), JointTrajectory(joint_names=['elbow'])
    with rig.publishing(JointTrajectory, 'vla/action_chunk', qos.CONTROL, (unknown, *others)):
        rig.tells('scheduler', 'several_publishers', '2 publish /vla/action_chunk')
        rig.tells('scheduler', 'malformed_message', 'vla/action_chunk')
        rig.rests()
    rig.moves()
    rig.quiet('scheduler', 'several_publishers')


@pytest.mark.parametrize(
    ('topic', 'profile', 'node', 'reason'),
    [
        ('vla/frame', qos.FRAME, 'scheduler', 'malformed_message'),
        ('vla/observation', qos.CONTROL, 'inference', 'wrong_frame'),
    ],
)
def test_observations_that_are_no_images_are_refused_and_the_motion_goes_on(
    rig, topic, profile, node, reason
):
    garbage = Image(encoding='rgb8', height=4, width=4, step=12, data=b'short')
    with rig.publishing(Image, topic, profile, (garbage, Image())):
        rig.tells(node, reason)
        rig.moves()


@pytest.mark.parametrize(
    ('text', 'node', 'reason'),
    [
        ('juggle the purple elephants', 'inference', 'unknown_instruction'),
        ('', 'scheduler', 'no_instruction'),
    ],
)
def test_an_instruction_that_cannot_be_followed_is_zero_in_time_until_one_can(
    rig, text, node, reason
):
    instructions = rig.publisher(String, 'vla/instruction', qos.LATCHED)
    instructions.publish(String(data=text))
    rig.tells(node, reason)
    rig.rests()
    instructions.publish(String(data=INSTRUCTION))
    rig.moves()
    rig.quiet(node, reason)


def test_a_step_that_is_not_the_checkpoints_is_refused_with_what_to_do_about_it(rig):
    assert rig.set('scheduler', policy_step=0.1).successful
    rig.rests()
    rig.tells('scheduler', 'malformed_message', 'policy_step')
    assert rig.set('scheduler', policy_step=0.05).successful
    rig.moves()
