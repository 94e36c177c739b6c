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

import numpy as np
import pytest
from scheduler_rig import FORWARD, PIXELS, STEP, Rig
from sensor_msgs.msg import Image
from std_msgs.msg import String
from std_srvs.srv import Trigger

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.nodes.scheduler import SchedulerNode
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import (
    ChunkStats,
    chunk_to_message,
    message_to_action,
    message_to_decision,
    message_to_request,
    to_ns,
)


def test_a_deliberative_step_hands_the_frame_on_and_sends_the_answer(graph):
    rig = Rig(graph)
    assert rig.frame().startswith('deliberative')
    graph.until(lambda: rig.requests and rig.observations, 'request and observation')
    observation, request = rig.observations[0], message_to_request(rig.requests[0])
    assert to_ns(observation.header.stamp) == request.stamp_ns == rig.stamp_ns
    assert observation.header.frame_id == 'agent'
    assert bytes(observation.data) == PIXELS.tobytes()
    assert request.instruction == 'pick up the red cube'
    assert request.last_action is None and request.draft is None

    assert rig.answer(stats=ChunkStats(0.5, 0.02, 7, 0)) == 'deliberative: answered'
    graph.until(lambda: rig.actions, 'the action')
    action = message_to_action(rig.actions[0])
    np.testing.assert_array_equal(action.values, FORWARD)
    assert action.stamp_ns == rig.stamp_ns
    assert rig.actions[0].header.frame_id == 'base_link'
    values = message_to_decision(rig.decisions[-1])
    assert values['keep_ratio'] == '0.5000' and values['model_ms'] == '20.000'
    assert float(values['latency_ms']) > 0 and values['source'] == 'vla'


def test_the_next_request_carries_the_motion_and_a_draft(graph):
    rig = Rig(graph, rule='never', predictor='hold')
    rig.drive(1)
    rig.frame()
    graph.until(lambda: len(rig.requests) == 2, 'the second request')
    request = message_to_request(rig.requests[1])
    np.testing.assert_array_equal(request.last_action.values, FORWARD)
    np.testing.assert_array_equal(request.draft, FORWARD)


SLOW = [0.001, 0.0, -0.001, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ('rows', 'parameters', 'replans'),
    [
        ([FORWARD, SLOW, SLOW, SLOW], {}, True),
        ([FORWARD, SLOW, SLOW, SLOW], {'replan_on_fine': False}, False),
        ([FORWARD, SLOW, SLOW, SLOW], {'fine_linear': 0.01}, False),
        ([SLOW, SLOW, SLOW, SLOW], {}, False),
        ([FORWARD, FORWARD, FORWARD, FORWARD], {}, False),
        ([FORWARD, [0.001, 0.0, 0.001, 0.0, 0.0, 0.0, 0.0], FORWARD, FORWARD], {}, False),
    ],
)
def test_the_vla_is_asked_in_mid_chunk_when_the_arm_turns_to_fine_work(
    graph, rows, parameters, replans
):
    rig = Rig(graph, rule='never', **parameters)
    rig.frame()
    assert rig.answer(rows) == 'deliberative: answered'
    assert rig.frame() == 'queued: next_of_chunk'
    assert rig.frame() == ('queued: replan' if replans else 'queued: next_of_chunk')
    if replans:
        graph.until(lambda: len(rig.requests) == 2, 'the second request')
        request = message_to_request(rig.requests[1])
        assert request.stamp_ns == rig.stamp_ns
        np.testing.assert_array_equal(request.last_action.values, SLOW)


def test_a_confirmed_draft_is_verified(graph):
    rig = Rig(graph)
    rig.frame()
    assert rig.answer(stats=ChunkStats(1.0, 0.01, 1, 7)) == 'verified: draft_confirmed'


def test_an_intuitive_step_acts_at_once_without_the_vla(graph):
    rig = Rig(graph, rule='always', tau=0.6)
    rig.drive(3)
    asked = len(rig.requests)
    assert rig.frame() == 'intuitive: always'
    graph.until(lambda: len(rig.actions) == 4, 'the ridge action')
    np.testing.assert_allclose(message_to_action(rig.actions[3]).values, FORWARD, atol=1e-6)
    assert message_to_decision(rig.decisions[-1])['source'] == 'ridge'
    assert len(rig.requests) == asked


def test_the_rest_of_a_chunk_is_queued_and_asks_nobody(graph):
    rig = Rig(graph)
    rig.frame()
    rig.answer(rows=[FORWARD] * 3)
    assert [rig.frame() for _ in range(2)] == ['queued: next_of_chunk'] * 2
    assert rig.frame().startswith(('deliberative', 'intuitive'))


def test_a_wait_is_bridged_for_a_bounded_number_of_steps(graph):
    rig = Rig(graph, rule='never', bridge='hold', max_bridge_steps=2)
    rig.drive(2)
    said = [rig.frame() for _ in range(4)]
    assert said == [
        'deliberative: never',
        'bridged: in_flight',
        'bridged: in_flight',
        'waiting: bridge_exhausted',
    ]
    graph.until(lambda: len(rig.actions) == 4, 'two bridging actions')
    assert rig.health.total('bridge_exhausted') == 1


def test_without_an_instruction_nothing_is_asked_and_the_reason_is_named(graph):
    rig = Rig(graph, instruction='')
    assert rig.frame() == 'waiting: no_instruction'
    assert 'no_instruction' in rig.health.standing() and rig.requests == []
    latched = graph.publisher(String, 'vla/instruction', qos.LATCHED)
    latched.publish(String(data=' lift the cube '))
    graph.until(lambda: rig.node._pilot.instruction, 'the instruction')
    assert rig.frame().startswith('deliberative')
    graph.until(lambda: rig.requests, 'the request')
    assert message_to_request(rig.requests[0]).instruction == 'lift the cube'
    assert list(rig.health.standing()) == ['no_answer']
    rig.answer()
    assert rig.health.standing() == {}


def test_an_instruction_given_before_the_node_was_active_holds(graph):
    latched = graph.peer.create_publisher(String, 'vla/instruction', qos.LATCHED)
    latched.publish(String(data='stack the cubes'))
    node = graph.add(SchedulerNode, autostart=False)
    assert graph.change_state(node, 'configure')
    graph.until(lambda: node._pilot.instruction == 'stack the cubes', 'the instruction')
    # It is the parameter from now on, which a cleanup does not change.
    assert node.get_parameter('instruction').value == 'stack the cubes'


def test_a_new_instruction_discards_the_answer_to_the_old_one(graph):
    rig = Rig(graph)
    rig.frame()
    assert graph.set_parameters(rig.node, instruction='pick up the blue cube').successful
    assert rig.answer() == 'discarded: instruction_changed'
    assert rig.frame().startswith('deliberative')
    graph.until(lambda: len(rig.requests) == 2, 'a request for the new instruction')
    assert message_to_request(rig.requests[1]).instruction == 'pick up the blue cube'
    assert rig.actions == []


def test_a_lost_inference_is_named_asked_again_and_recovered_from(graph):
    rig = Rig(graph, answer_timeout=0.05, max_staleness=0.05)
    rig.frame()
    lost = rig.stamp_ns
    graph.until(lambda: 'answer_timeout' in rig.frame(), 'the VLA is asked afresh')
    assert 'inference_timeout' in rig.health.standing()
    assert rig.answer(stamp_ns=lost) == 'discarded: answer_timeout'
    graph.until(
        lambda: rig.frame() and rig.answer() == 'deliberative: answered', 'an answer in time'
    )
    assert 'inference_timeout' not in rig.health.standing()


def test_an_answer_that_is_not_finite_moves_nothing(graph):
    rig = Rig(graph)
    rig.frame()
    assert rig.answer(rows=[[float('nan')] * 7]) == 'discarded: nan_or_inf'
    assert rig.actions == [] and rig.health.total('answer_discarded') == 1


@pytest.mark.parametrize(
    'spoil',
    [
        lambda m: setattr(m, 'joint_names', ['a', 'b']),
        lambda m: setattr(m, 'points', []),
        lambda m: setattr(m.points[0], 'positions', [0.1]),
        lambda m: setattr(m.points[0].time_from_start, 'nanosec', 200_000_000),
        lambda m: setattr(m.points[0], 'effort', [1.0, 2.0]),
    ],
)
def test_a_malformed_answer_is_named_and_moves_nothing(graph, spoil):
    rig = Rig(graph)
    rig.frame()
    message = chunk_to_message(ActionChunk([FORWARD], rig.stamp_ns), 0.05, 'base_link')
    spoil(message)
    rig.vla.publish(message)
    graph.until(lambda: rig.health.total('malformed_message'), 'it is counted')
    assert rig.answer() == 'deliberative: answered'
    assert len(rig.actions) <= 1


def test_a_garbage_frame_is_no_step(graph):
    rig = Rig(graph)
    rig.camera.publish(Image(height=9, width=9, encoding='rgb8', step=27))
    graph.until(lambda: rig.health.total('malformed_message'), 'it is counted')
    assert rig.frame().startswith('deliberative') and len(rig.decisions) == 1


def test_frames_between_steps_are_thinned(graph):
    rig = Rig(graph)
    rig.frame()
    between = rig.stamp_ns + STEP // 4
    rig.camera.publish(array_to_image(PIXELS, between))
    rig.frame()
    stamps = [message_to_decision(d)['stamp_ns'] for d in rig.decisions]
    assert str(between) not in stamps and len(stamps) == 2


def test_reset_forgets_and_the_old_answer_is_discarded(graph):
    rig = Rig(graph)
    rig.drive(2)
    rig.frame()
    response = graph.call(Trigger, '/scheduler/reset', Trigger.Request())
    assert response.success
    assert rig.answer() == 'discarded: reset'
    rig.frame()
    graph.until(lambda: len(rig.requests) == 4, 'the request after the reset')
    assert message_to_request(rig.requests[3]).last_action is None


def test_silence_is_a_standing_fault_that_ends_with_a_frame(graph):
    rig = Rig(graph, silence=0.2)
    graph.until(lambda: 'no_frame' in rig.health.standing(), 'the silence is noticed')
    rig.frame()
    graph.until(lambda: 'no_frame' not in rig.health.standing(), 'the frame is noticed')


def test_settings_apply_between_two_steps(graph):
    rig = Rig(graph, rule='never')
    rig.drive(3)
    assert graph.set_parameters(rig.node, rule='always').successful
    assert rig.frame() == 'intuitive: always'


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'tau': 1.5}, ('tau', '1.5', '0.0', '1.0')),
        ({'rule': 'guess'}, ('rule', 'guess', 'planar', 'velocity')),
        ({'v_min': 0.9, 'v_max': 0.5}, ('v_min', '0.9', '0.5')),
        ({'min_actions': 8}, ('min_actions', '8', 'capacity 6')),
        ({'instruction': 'x' * 1001}, ('1001 characters', '1000')),
    ],
)
def test_a_bad_setting_is_refused_with_value_and_range(graph, values, words):
    rig = Rig(graph)
    before = dict(rig.node.settings)
    result = graph.set_parameters(rig.node, **values)
    assert not result.successful and all(word in result.reason for word in words)
    assert rig.node.settings == before
    assert rig.frame().startswith('deliberative')
