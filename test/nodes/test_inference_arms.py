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

"""Several arms on one inference node, over DDS, with a real model of random weights."""

from array import array
from threading import Event

import cv2
from inference_robot import Robot, frame, status
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage
import torch

from vla_accel_ros.models.policy import Policy
from vla_accel_ros.nodes import inference_policy
from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.nodes.inference_arms import check_arms
from vla_accel_ros.observations import Observation
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import from_ns, message_to_chunk, to_ns

WORDS = {
    'left': 'pick up the red cube',
    'right': 'stack the red cube on the green cube',
    'third': 'pick up the blue cube and place it in the bin',
}


@pytest.fixture
def node(graph, checkpoint):
    """Give a node of two arms that waits for the one that is late."""
    return graph.add(
        Inference,
        checkpoint=str(checkpoint),
        threads=1,
        warm_up=1,
        nice=0,
        max_age=60.0,
        arms=['left', 'right'],
        batch_wait=0.1,
        pruning='none',
    )


def alone(checkpoint, words, seed):
    policy = Policy.load(checkpoint)
    policy.set_decoder('verify')
    views = tuple(np.split(frame(seed), 2))
    return policy.predict(Observation(views, words), resized=True).chunk_values


def ask(robot, words, seed):
    stamp = robot.now()
    robot.request(stamp, words)
    robot.observe(stamp, frame(seed))
    return stamp


def test_arms_join_and_leave_and_each_is_answered_as_if_it_were_alone(graph, node, checkpoint):
    arms = {name: Robot.of_arm(graph, node, name) for name in ('left', 'right')}
    for seed, (name, robot) in enumerate(arms.items()):
        ask(robot, WORDS[name], seed)
    for seed, (name, robot) in enumerate(arms.items()):
        values = message_to_chunk(robot.answer()).values
        assert values == pytest.approx(alone(checkpoint, WORDS[name], seed))
    assert graph.set_parameters(node, arms=['right', 'third']).successful
    assert [arm.name for arm in node.arms] == ['right', 'third']
    third = Robot.of_arm(graph, node, 'third')
    ask(arms['left'], WORDS['left'], 5)
    stamp = ask(third, WORDS['third'], 2)
    answer = third.answer()
    assert to_ns(answer.header.stamp) == stamp
    values = message_to_chunk(answer).values
    assert values == pytest.approx(alone(checkpoint, WORDS['third'], 2))
    graph.until(lambda: any(v.key == 'third.total_ms' for v in status(third).values), 'figures')
    keys = {v.key for v in status(third).values}
    assert not any(key.startswith(('left.', 'count.left.')) for key in keys)
    assert len(arms['left'].chunks) == 1


def test_garbage_of_one_arm_is_named_with_it_and_the_others_go_on(graph, node):
    left, right = (Robot.of_arm(graph, node, name) for name in ('left', 'right'))
    for number in range(1, 4):
        stamp = left.now()
        left.request(stamp, 'juggle the purple elephants')
        left.observe(stamp, frame(views=1) if number == 2 else frame())
        ask(right, WORDS['right'], number)
        right.answer(number)
    right.counted('unknown_instruction')
    right.counted('wrong_frame')
    message = status(right).message
    assert 'unknown_instruction: left: ' in message and 'wrong_frame: left: ' in message
    assert len(right.chunks) == 3 and not left.chunks
    refused = graph.set_parameters(node, arms=['left', 'a-b'])
    assert "a name in arms is 'a-b'" in refused.reason


def test_a_huge_picture_of_one_arm_costs_the_others_nothing(graph, node, monkeypatch):
    left, right = (Robot.of_arm(graph, node, name) for name in ('left', 'right'))
    huge = cv2.imencode('.png', np.zeros((8192, 4096, 3), np.uint8))[1].tobytes()
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('it was decoded'))
    pictures = graph.publisher(CompressedImage, 'left/vla/observation/compressed', qos.CONTROL)
    message = CompressedImage(format='png', data=array('B', huge))
    message.header.stamp = from_ns(left.now())
    pictures.publish(message)
    right.counted('wrong_frame')
    assert 'wrong_frame: left: frame is 4096x8192' in status(right).message
    ask(right, WORDS['right'], 1)
    right.answer()


def test_an_arm_that_left_during_its_call_tells_nothing_any_more(graph, node, monkeypatch):
    begun, go_on, predict = Event(), Event(), inference_policy.predict

    def slow(*arguments):
        begun.set()
        assert go_on.wait(60.0)
        return predict(*arguments)

    monkeypatch.setattr(inference_policy, 'predict', slow)
    left, right = (Robot.of_arm(graph, node, name) for name in ('left', 'right'))
    ask(left, WORDS['left'], 0)
    graph.until(begun.is_set, 'its call runs')
    assert graph.set_parameters(node, arms=['right']).successful
    go_on.set()
    right.counted('answers_ignored')
    assert not any('left' in value.key for value in status(right).values)
    assert graph.set_parameters(node, arms=['']).successful
    assert 'arms' not in {value.key for value in status(right).values}


def test_what_keeps_an_arm_from_its_memory_is_named_with_it(graph, node, monkeypatch):
    def lack(*_):
        raise torch.OutOfMemoryError('16 GiB were asked for')

    monkeypatch.setattr(Policy, 'warm_up', lack)
    assert graph.set_parameters(node, arms=['left', 'right', 'third']).successful
    right = Robot.of_arm(graph, node, 'right')
    right.counted('out_of_memory')
    assert 'out_of_memory: third: 16 GiB were asked for' in status(right).message


@pytest.mark.parametrize(
    ('names', 'remote', 'said'),
    [
        ((), '', '0 names, expected 1 to 16'),
        (('a',) * 2, '', "'a' more than once"),
        (('/a',), '', 'no slash at its ends'),
        (('a__b',), '', 'single underscores'),
        (('a', 'b'), 'ws://host:8000', 'an inference node for each arm'),
    ],
)
def test_names_that_cannot_be_served_are_refused(names, remote, said):
    with pytest.raises(ValueError, match=said):
        check_arms({'arms': names, 'remote': remote})
