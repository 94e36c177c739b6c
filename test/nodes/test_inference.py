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


"""inference over DDS, with a real model of random weights."""

import threading

from checkpoints import SIZE, random_checkpoint
import numpy as np
import pytest
from sensor_msgs.msg import Image, JointState
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.models.drafts import SOURCES
from vla_accel_ros.models.oft_config import OFTConfig
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.nodes import inference_settings, qos
from vla_accel_ros.nodes.images import array_to_image, image_to_array
from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.nodes.messages import (
    from_ns,
    message_stats,
    message_step,
    message_to_chunk,
    request_to_message,
    to_ns,
)
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.registry import METHODS
from vla_accel_ros.scheduling.decision import Request

INSTRUCTION = 'pick up the red cube'
# Passes and accepted tokens by decoder and draft, where the draft is what the model says.
DECODED = {
    ('greedy', 'given'): (7, 0), ('verify', 'given'): (1, 7), ('jacobi', 'previous'): (1, 7),
    ('relaxed', 'given'): (1, 7), ('verify', 'none'): (7, 0),
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return random_checkpoint(tmp_path_factory.mktemp('checkpoint'))


def frame(seed=0, size=SIZE, views=2):
    return np.random.default_rng(seed).integers(0, 256, (views * size, size, 3), np.uint8)


class Robot:
    """A scheduler around the node under test: it asks and hears the answers."""

    def __init__(self, graph, folder, **parameters):
        self.graph = graph
        self.node = graph.add(
            Inference, checkpoint=str(folder), threads=1, warm_up=1, nice=0, max_age=60.0,
            **parameters)
        self.observations = graph.publisher(Image, 'vla/observation', qos.CONTROL)
        self.requests = graph.publisher(JointTrajectory, 'vla/request', qos.CONTROL)
        self.chunks = graph.listen(JointTrajectory, 'vla/action_chunk', qos.REPORT)

    def now(self):
        return self.graph.peer.get_clock().now().nanoseconds

    def observe(self, stamp_ns, pixels=None):
        pixels = frame() if pixels is None else pixels
        self.observations.publish(array_to_image(pixels, stamp_ns))

    def request(self, stamp_ns, instruction=INSTRUCTION, last_action=None, draft=None):
        self.requests.publish(request_to_message(
            Request(stamp_ns, instruction, last_action, draft), 0.05))

    def ask(self, last=None, draft=None):
        number, stamp = len(self.chunks) + 1, self.now()
        self.request(stamp, last_action=None if last is None else Action(last), draft=draft)
        self.observe(stamp)
        return self.answer(number)

    def answer(self, number=1):
        self.graph.until(lambda: len(self.chunks) >= number, f'{number} answers')
        return self.chunks[number - 1]

    def counted(self, name, number=1):
        self.graph.until(
            lambda: self.node.health.total(name) >= number, f'{name} is counted')


@pytest.fixture
def robot(graph, folder):
    return Robot(graph, folder)


def test_a_pair_is_answered_with_the_models_action_under_the_observations_stamp(robot, folder):
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp)
    answer = robot.answer()
    assert to_ns(answer.header.stamp) == stamp
    assert answer.header.frame_id == 'base_link'
    assert message_step(answer) == 0.05
    views = tuple(np.split(frame(), 2))
    expected = Policy.load(folder).predict(Observation(views, INSTRUCTION), fitted=True)
    assert message_to_chunk(answer).values == pytest.approx(expected.chunk_values)
    stats = message_stats(answer)
    assert stats.keep_ratio == 1.0 and 1 <= stats.passes <= 7 and stats.accepted == 0
    assert stats.model_s > 0


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


def test_the_stages_of_a_call_are_timed_on_diagnostics(robot):
    stamp = robot.now()
    robot.observe(stamp)
    robot.request(stamp)
    robot.answer()
    robot.counted('answers')
    # The last figure of a call; those before it are there then, too.
    robot.graph.until(
        lambda: any(v.key == 'capture_to_answer_ms' for v in status(robot).values), 'figures')
    keys = {v.key for v in status(robot).values}
    stages = ('preprocess', 'towers', 'projector', 'prefill', 'decode', 'detokenise', 'total')
    assert {f'{stage}_ms' for stage in stages} <= keys
    assert {'waited_ms', 'self_test_difference', 'warm_up_ms'} <= keys


def status(robot):
    return robot.node.health.status('inference', 'active')


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
        'the newest is answered')
    stamps = [to_ns(m.header.stamp) for m in robot.chunks]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize('pixels', [
    frame(size=SIZE + 8), frame(views=1), frame(views=3), frame()[:, :16]])
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


def test_a_draft_that_is_the_models_own_answer_is_confirmed_in_fewer_passes(robot):
    greedy = robot.ask()
    assert robot.graph.set_parameters(robot.node, decoder='verify').successful
    drafted = robot.ask(draft=message_to_chunk(greedy).values[0])
    assert message_to_chunk(drafted).values == pytest.approx(message_to_chunk(greedy).values)
    assert message_stats(greedy).accepted == 0
    assert message_stats(drafted).accepted >= 6
    assert message_stats(drafted).passes < message_stats(greedy).passes


def test_pruning_changes_live_and_shows_in_the_answer_and_on_vla_tokens(robot):
    tokens = robot.graph.listen(Image, 'vla/tokens', qos.SENSOR)
    robot.graph.until(lambda: robot.node._tokens.get_subscription_count() > 0, 'it is heard')
    assert message_stats(robot.ask()).keep_ratio == 1.0
    robot.graph.until(lambda: tokens, 'the whole frame')
    assert (image_to_array(tokens[-1]) == frame()).all()
    assert robot.graph.set_parameters(
        robot.node, pruning='random',
        pruning_parameters='{keep: 0.5, layer: 0, round_up: false}').successful
    seen = len(tokens)
    answer = robot.ask(last=[0.01] * 6 + [0.0])
    assert message_stats(answer).keep_ratio == 0.5
    robot.graph.until(lambda: len(tokens) > seen, 'the pruned frame')
    dimmed = (image_to_array(tokens[-1]) != frame()).any(-1)
    assert dimmed.mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(('values', 'complaint'), [
    ({'pruning': 'magic'}, 'magic'),
    ({'pruning': 'fastv', 'pruning_parameters': '{keep: 7}'}, 'keep'),
    ({'pruning': 'fastv', 'pruning_parameters': '{colour: red}'}, 'colour'),
    ({'pruning_parameters': '[1, 2]'}, 'expected a mapping'),
    ({'pruning_parameters': '{'}, 'no YAML'),
    ({'decoder': 'magic'}, 'magic'),
])
def test_a_pruning_or_decoder_that_cannot_be_is_refused_and_the_old_one_stays(
        robot, values, complaint):
    result = robot.graph.set_parameters(robot.node, **values)
    assert not result.successful
    assert complaint in result.reason
    assert message_stats(robot.ask()).keep_ratio == 1.0


def test_the_choices_of_pruning_and_decoding_are_those_there_are():
    assert set(inference_settings.PRUNING) == set(METHODS)
    assert set(inference_settings.DECODERS) == set(DECODERS)
    assert inference_settings.DRAFTS == SOURCES


def test_a_checkpoint_that_wants_proprioception_gets_the_values_by_name(graph, tmp_path):
    folder = random_checkpoint(tmp_path, oft=OFTConfig(chunk=3, proprio=8))
    names = [f'p{i}' for i in range(8)]
    robot = Robot(graph, folder, proprio_names=names)
    states = graph.publisher(JointState, 'proprio', qos.SENSOR)
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp)
    robot.counted('no_proprio')
    values = np.linspace(0.1, 0.8, 8)
    state = JointState(name=['other', *reversed(names)], position=[9.0, *reversed(values)])
    state.header.stamp = from_ns(stamp)
    states.publish(state)
    graph.until(lambda: robot.node._proprio._states, 'the state came')
    robot.request(stamp + 1)
    robot.observe(stamp + 1)
    answer = message_to_chunk(robot.answer())
    views = tuple(np.split(frame(), 2))
    expected = Policy.load(folder).predict(
        Observation(views, INSTRUCTION, proprio=values), fitted=True)
    assert answer.values.shape == (3, 7)
    assert answer.values == pytest.approx(expected.chunk_values, abs=1e-6)


def test_a_checkpoint_that_wants_no_proprioception_does_not_listen_to_it(robot):
    assert robot.graph.peer.count_subscribers('proprio') == 0


def test_a_missing_checkpoint_fails_configure_with_the_reason_and_another_is_taken(graph, folder):
    node = graph.add(Inference, autostart=False, checkpoint='/nowhere', threads=1, warm_up=1)
    heard = graph.diagnostics()
    assert not graph.change_state(node, 'configure')
    assert node.state() == 'unconfigured'
    graph.until(
        lambda: any('/nowhere' in s.message for m in heard for s in m.status), 'the reason')
    assert '/nowhere' in node.health.standing()['configure_failed']
    assert graph.set_parameters(node, checkpoint=str(folder)).successful
    assert graph.change_state(node, 'configure')
    assert graph.change_state(node, 'activate')
    assert node.health.standing() == {}


def test_a_damaged_checkpoint_fails_configure_with_the_reason(graph, folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = next(tmp_path.glob('*.safetensors'))
    weights.write_bytes(weights.read_bytes()[:-1000])
    node = graph.add(Inference, autostart=False, checkpoint=str(tmp_path), threads=1, warm_up=1)
    assert not graph.change_state(node, 'configure')
    assert weights.name in node.health.standing()['configure_failed']


class Held:
    """A policy whose predictions wait to be let go."""

    def __init__(self, policy):
        self.policy, self.started, self.go = policy, threading.Event(), threading.Event()

    def __getattr__(self, name):
        return getattr(self.policy, name)

    def predict(self, *args, **kwargs):
        self.started.set()
        assert self.go.wait(10)
        return self.policy.predict(*args, **kwargs)


def test_deactivating_ignores_the_running_call_and_drops_the_one_that_waits(robot):
    graph, node = robot.graph, robot.node
    held = node._policy = Held(node._policy)
    stamp = robot.now()
    for number in range(2):
        robot.request(stamp + number)
        robot.observe(stamp + number)
        graph.until(held.started.is_set, 'the first call runs')
    graph.until(lambda: node._worker._job is not None, 'the second call waits')
    assert graph.change_state(node, 'deactivate')
    assert node.health.total('jobs_dropped') == 1
    held.go.set()
    robot.counted('answers_ignored')
    assert graph.change_state(node, 'activate')
    robot.request(stamp + 2)
    robot.observe(stamp + 2)
    robot.answer()
    assert [to_ns(m.header.stamp) for m in robot.chunks] == [stamp + 2]


def test_it_can_be_cleaned_up_and_configured_again(robot, tmp_path):
    graph, node = robot.graph, robot.node
    for transition in ('deactivate', 'cleanup'):
        assert graph.change_state(node, transition)
    other = random_checkpoint(tmp_path, seed=1, cameras=1)
    assert graph.set_parameters(node, checkpoint=str(other)).successful
    for transition in ('configure', 'activate'):
        assert graph.change_state(node, transition)
    graph.until(
        lambda: robot.observations.get_subscription_count() > 0
        and robot.requests.get_subscription_count() > 0, 'it listens again')
    stamp = robot.now()
    robot.request(stamp)
    robot.observe(stamp, frame(views=1))
    robot.answer()
