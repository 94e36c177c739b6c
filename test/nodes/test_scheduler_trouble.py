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

"""What the scheduler has against others: several that answer, frames and calls too slow."""

import pytest
from rclpy.logging import LoggingSeverity
from scheduler_rig import FORWARD, STEP, Rig
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import ChunkStats, chunk_to_message


def test_while_two_answer_neither_is_believed_and_both_are_named(graph):
    rig = Rig(graph)
    rig.frame()
    other = graph.peer.create_publisher(JointTrajectory, 'vla/action_chunk', qos.CONTROL)
    graph.until(lambda: 'several_publishers' in rig.health.standing(), 'the second is named')
    said = rig.health.standing()['several_publishers']
    assert '2 publish /vla/action_chunk (/peer, /peer)' in said
    for publisher in (other, rig.vla):
        discarded = rig.health.total('answer_discarded')
        publisher.publish(
            chunk_to_message(ActionChunk([FORWARD], rig.stamp_ns), 0.05, 'base_link')
        )
        graph.until(
            lambda n=discarded: rig.health.total('answer_discarded') > n, 'it is discarded'
        )
    assert rig.actions == []
    graph.peer.destroy_publisher(other)
    graph.until(lambda: 'several_publishers' not in rig.health.standing(), 'one is left')
    # The question is still open.
    assert rig.answer() == 'deliberative: answered'


@pytest.mark.parametrize(
    ('row', 'said'),
    [
        ([1e6, 0, 0, 0, 0, 0, 0], 'x = 1e+06'),
        ([0, 0, 0, 0, 0, 0, 7], 'gripper = 7'),
        ([0, 0, 0, 9, 0, 0, 0], 'roll = 9'),
    ],
)
def test_an_answer_that_no_policy_means_is_malformed_and_the_next_one_counts(graph, row, said):
    rig = Rig(graph)
    rig.frame()
    rig.vla.publish(chunk_to_message(ActionChunk([row], rig.stamp_ns), 0.05, 'base_link'))
    graph.until(lambda: rig.health.total('malformed_message'), 'it is counted')
    assert said in rig.health.status('scheduler', 'active').message
    assert rig.answer() == 'deliberative: answered'
    assert len(rig.actions) <= 1


def test_slow_frames_and_slow_calls_are_advice_that_ends_when_they_are_fast(graph):
    rig = Rig(graph)
    rig.drive(1)
    for _ in range(25):
        rig.stamp_ns += 3 * STEP
        rig.frame()
        rig.answer(stats=ChunkStats(1.0, 9.0, 7, 0))

    def message():
        return rig.health.status('scheduler', 'active').message

    graph.until(lambda: 'slow_frames' in message(), 'the camera is named')
    assert 'frames come at 5 Hz, policy_step 0.05 s wants 20 Hz' in message()
    assert 'slow_calls: a call takes 9 s' in message()
    # Neither is a reason not to enable the arm.
    assert set(rig.health.standing()) <= {'no_frame'}
    for _ in range(25):
        rig.frame()
        rig.answer(stats=ChunkStats(1.0, 0.01, 7, 0))
    graph.until(lambda: 'slow' not in message(), 'the advice has ended')


def test_at_log_level_debug_each_decision_is_a_line(graph, capfd):
    rig = Rig(graph)
    rig.drive(1)
    assert 'deliberative' not in capfd.readouterr().err
    rig.node.get_logger().set_level(LoggingSeverity.DEBUG)
    try:
        rig.frame()
        rig.answer(stats=ChunkStats(1.0, 0.25, 7, 0))
    finally:
        rig.node.get_logger().set_level(LoggingSeverity.INFO)
    shown = capfd.readouterr().err
    assert f'deliberative: answered, frame {rig.stamp_ns} ns' in shown
    assert 'the model took 250.0 ms' in shown


def test_a_policy_step_that_is_changed_is_what_frames_are_compared_with(graph):
    rig = Rig(graph)
    rig.drive(25)
    assert graph.set_parameters(rig.node, policy_step=0.02).successful
    graph.until(
        lambda: 'policy_step 0.02 s wants 50 Hz' in rig.health.status('s', 'active').message,
        'it is judged anew',
    )
