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


"""inference over DDS: decoder, pruning and proprioception reach the model."""

from checkpoints import random_checkpoint
from inference_robot import INSTRUCTION, Robot, frame
import numpy as np
import pytest
from sensor_msgs.msg import Image, JointState

from vla_accel_ros.acceleration import method_of
from vla_accel_ros.actions import Action
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.nodes import inference_arm
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.registry import METHODS
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import image_to_array
from vla_accel_ros.ros.messages import from_ns, message_stats, message_to_chunk

# Passes and accepted tokens by decoder and draft, where the draft is what the model says.
DECODED = {
    ('greedy', 'given'): (7, 0),
    ('verify', 'given'): (1, 7),
    ('jacobi', 'previous'): (1, 7),
    ('relaxed', 'given'): (1, 7),
    ('verify', 'none'): (7, 0),
}


def test_a_draft_is_confirmed_in_one_pass_and_the_decoder_changes_between_calls(robot):
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp)
    values = message_to_chunk(robot.answer()).values[0]
    tried = []
    for number, (decoder, draft) in enumerate(DECODED, 1):
        assert robot.graph.set_parameters(robot.node, decoder=decoder, draft=draft).successful
        robot.request(stamp + number, last_action=Action(values), draft=values)
        robot.observe(stamp + number)
        answer = robot.answer(number + 1)
        assert message_to_chunk(answer).values[0] == pytest.approx(values)
        stats = message_stats(answer)
        tried.append((stats.passes, stats.accepted))
    assert tried == list(DECODED.values())
    refused = robot.graph.set_parameters(robot.node, decoder='magic')
    assert not refused.successful and 'greedy' in refused.reason


def test_a_draft_that_is_the_models_own_answer_is_confirmed_in_fewer_passes(robot):
    greedy = robot.ask()
    assert robot.graph.set_parameters(robot.node, decoder='verify').successful
    drafted = robot.ask(draft=message_to_chunk(greedy).values[0])
    assert message_to_chunk(drafted).values == pytest.approx(message_to_chunk(greedy).values)
    assert message_stats(greedy).accepted == 0
    # Two tokens at an end of the range stand for one number, so that not all need be confirmed.
    assert message_stats(drafted).accepted >= 4
    assert message_stats(drafted).passes < message_stats(greedy).passes


def test_pruning_changes_live_and_shows_in_the_answer_and_on_vla_tokens(robot):
    tokens = robot.graph.listen(Image, 'vla/tokens', qos.SENSOR)
    robot.graph.until(
        lambda: robot.node.arms['']._tokens.get_subscription_count() > 0, 'it is heard'
    )
    assert message_stats(robot.ask()).keep_ratio == 1.0
    robot.graph.until(lambda: tokens, 'the whole frame')
    assert (image_to_array(tokens[-1]) == frame()).all()
    assert robot.graph.set_parameters(
        robot.node, pruning='random', pruning_parameters='{keep: 0.5, layer: 0, round_up: false}'
    ).successful
    seen = len(tokens)
    answer = robot.ask(last=[0.01] * 6 + [0.0])
    assert message_stats(answer).keep_ratio == 0.5
    robot.graph.until(lambda: len(tokens) > seen, 'the pruned frame')
    dimmed = (image_to_array(tokens[-1]) != frame()).any(-1)
    assert dimmed.mean() == pytest.approx(0.5, abs=0.05)


def test_any_method_is_picked_by_one_parameter_whatever_others_were_told(robot):
    assert robot.graph.set_parameters(
        robot.node, keep=0.5, pruning_parameters='{v_low: 0.0, window: 1, round_up: false}'
    ).successful
    ratios = {}
    for method in METHODS:
        assert robot.graph.set_parameters(robot.node, pruning=method).successful, method
        ratios[method] = message_stats(robot.ask()).keep_ratio
    # The others have no past in the first step of an episode, and keep all.
    assert ratios['fastv'] == ratios['random'] == 0.5
    assert robot.graph.set_parameters(robot.node, pruning='fastv', keep=0.25).successful
    assert message_stats(robot.ask()).keep_ratio == 0.25


def test_keep_counts_for_methods_with_a_budget_of_their_own_only_where_it_is_fixed(robot):
    settings = {**robot.node.settings, 'pruning': 'sp_vla', 'keep': 0.5}

    def budget(**changed):
        return dict(method_of({**settings, **changed}).pruning_parameters)

    assert budget() == {'keep': 0.5, 'budget': 'adaptive'}
    fixed = {'keep': 0.5, 'budget': 'fixed'}
    assert budget(budget='fixed') == budget(pruning_parameters='{keep: 0.5}') == fixed


def test_without_a_listener_no_picture_of_the_tokens_is_made(robot, monkeypatch):
    made = []
    monkeypatch.setattr(inference_arm, 'dim_dropped', lambda *given: made.append(given))
    robot.ask()
    robot.ask()
    assert not made


@pytest.mark.parametrize(
    ('values', 'complaint'),
    [
        ({'pruning': 'magic'}, 'magic'),
        ({'keep': 0.0}, 'keep'),
        ({'budget': 'generous'}, 'adaptive'),
        (
            {'pruning': 'specprune', 'pruning_parameters': '{linear_threshold: -1.0}'},
            'linear_threshold is -1.0, expected a number from 0.0 to 10.0 m/s',
        ),
        ({'pruning': 'sp_vla', 'pruning_parameters': '{v_low: 0.9}'}, 'expected below v_high'),
        ({'pruning_parameters': '{1: 2, colour: red}'}, 'colour'),
        ({'pruning': 'fastv', 'pruning_parameters': '{keep: 7}'}, 'keep'),
        ({'pruning': 'fastv', 'pruning_parameters': '{colour: red}'}, 'colour'),
        ({'pruning_parameters': '[1, 2]'}, 'expected a mapping'),
        ({'pruning_parameters': '{'}, 'no YAML'),
        ({'decoder': 'magic'}, 'magic'),
    ],
)
def test_a_pruning_or_decoder_that_cannot_be_is_refused_and_the_old_one_stays(
    robot, values, complaint
):
    result = robot.graph.set_parameters(robot.node, **values)
    assert not result.successful
    assert complaint in result.reason
    assert message_stats(robot.ask()).keep_ratio == 1.0


def test_a_checkpoint_that_wants_proprioception_gets_the_values_by_name(graph, tmp_path):
    folder = random_checkpoint(tmp_path, head=OFTConfig(chunk=3, proprio=8))
    names = [f'p{i}' for i in range(8)]
    robot = Robot(graph, folder, proprio_names=names)
    states = graph.publisher(JointState, 'proprio', qos.SENSOR)
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp)
    robot.counted('no_proprio')
    values = np.linspace(0.1, 0.8, 8)
    # Two drivers, and one that forgets the stamp.
    arm = JointState(name=['other', *reversed(names[:7])], position=[9.0, *reversed(values[:7])])
    gripper = JointState(name=[names[7]], position=[values[7]])
    states.publish(gripper)
    robot.counted('unstamped_proprio')
    buffer = robot.node.arms[''].proprio._values
    for state, name in ((arm, names[0]), (gripper, names[7])):
        state.header.stamp = from_ns(stamp)
        states.publish(state)
        graph.until(lambda n=name: buffer[n], 'the state came')
    robot.request(stamp + 1)
    robot.observe(stamp + 1)
    answer = message_to_chunk(robot.answer())
    views = tuple(np.split(frame(), 2))
    expected = Policy.load(folder).predict(
        Observation(views, INSTRUCTION, proprio=values), resized=True
    )
    assert answer.values.shape == (3, 7)
    assert answer.values == pytest.approx(expected.chunk_values, abs=1e-6)


def test_a_checkpoint_that_wants_no_proprioception_does_not_listen_to_it(robot):
    assert robot.graph.peer.count_subscribers('proprio') == 0
