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


"""inference over DDS, with a real model of random weights: what is asked and answered."""

from checkpoints import SIZE
from inference_robot import INSTRUCTION, frame, status
import numpy as np
import pytest

from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.ros.messages import message_stats, message_step, message_to_chunk, to_ns


def test_a_pair_is_answered_with_the_models_action_under_the_observations_stamp(robot, checkpoint):
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp)
    answer = robot.answer()
    assert to_ns(answer.header.stamp) == stamp
    assert answer.header.frame_id == 'base_link'
    assert message_step(answer) == 0.05
    views = tuple(np.split(frame(), 2))
    expected = Policy.load(checkpoint).predict(Observation(views, INSTRUCTION), resized=True)
    assert message_to_chunk(answer).values == pytest.approx(expected.chunk_values)
    stats = message_stats(answer)
    assert stats.keep_ratio == 1.0 and 1 <= stats.passes <= 7 and stats.accepted == 0
    assert stats.model_s > 0


def test_the_stages_of_a_call_are_timed_on_diagnostics(robot):
    stamp = robot.now()
    robot.observe(stamp)
    robot.request(stamp)
    robot.answer()
    robot.counted('answers')
    # The last figure of a call; those before it are there then, too.
    robot.graph.until(
        lambda: any(v.key == 'capture_to_answer_ms' for v in status(robot).values), 'figures'
    )
    keys = {v.key for v in status(robot).values}
    stages = ('preprocess', 'towers', 'projector', 'prefill', 'decode', 'detokenise', 'total')
    assert {f'{stage}_ms' for stage in stages} <= keys
    assert {'waited_ms', 'self_test_difference', 'warm_up_ms', 'checkpoint_hash'} <= keys


def test_messages_with_different_stamps_are_no_pair(robot):
    stamp = robot.now()
    robot.observe(stamp)
    robot.request(stamp + 1)
    robot.observe(stamp + 2)
    robot.request(stamp + 2)
    assert to_ns(robot.answer().header.stamp) == stamp + 2


def test_after_a_burst_the_newest_is_answered_and_nothing_queues_up(robot):
    first = robot.now()
    for number in range(20):
        robot.request(first + number)
        robot.observe(first + number)
    robot.graph.until(
        lambda: robot.chunks and to_ns(robot.chunks[-1].header.stamp) == first + 19,
        'the newest is answered',
    )
    stamps = [to_ns(m.header.stamp) for m in robot.chunks]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    'pixels', [frame(size=SIZE + 8), frame(views=1), frame(views=3), frame()[:, :16]]
)
def test_a_frame_of_another_size_is_refused_and_says_what_is_wanted(robot, pixels):
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp, pixels)
    robot.counted('wrong_frame')
    assert f'2 views of {SIZE}x{SIZE}' in status(robot).message
    robot.request(stamp + 1)
    robot.observe(stamp + 1)
    assert to_ns(robot.answer().header.stamp) == stamp + 1


def test_words_that_the_checkpoint_does_not_know_are_named_and_the_next_call_works(robot):
    stamp = robot.now()
    robot.request(stamp, 'juggle the purple elephants')
    robot.observe(stamp)
    robot.counted('unknown_instruction')
    assert 'elephants' in status(robot).message
    robot.request(stamp + 1)
    robot.observe(stamp + 1)
    robot.answer()


def test_an_observation_that_is_too_old_is_not_computed(robot):
    assert robot.graph.set_parameters(robot.node, max_age=0.5).successful
    stamp = robot.now()
    robot.request(stamp - 10**9)
    robot.observe(stamp - 10**9)
    robot.counted('stale_observation')
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp)
    assert to_ns(robot.answer().header.stamp) == stamp


def test_parameters_change_between_two_calls_and_are_held_to_their_ranges(robot):
    assert robot.graph.set_parameters(robot.node, policy_step=0.1, threads=1).successful
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp)
    assert message_step(robot.answer()) == 0.1
    refused = robot.graph.set_parameters(robot.node, policy_step=9.0)
    assert not refused.successful
    assert 'policy_step' in refused.reason
    refused = robot.graph.set_parameters(robot.node, checkpoint='other')
    assert 'clean the node up' in refused.reason
