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

"""A policy in another process: real sockets, a server of the test's own."""

import json

from joint_robots import ALOHA
import numpy as np
from policy_server import ServerProcess, free_port
import pytest

from vla_accel_ros.models.prediction import NotFiniteError
from vla_accel_ros.models.preprocess import CameraCountError
from vla_accel_ros.observations import Observation
from vla_accel_ros.remote.errors import (
    RemoteAnswerError,
    RemoteDownError,
    RemoteMismatchError,
    RemoteRefusedError,
    RemoteTimeoutError,
)
from vla_accel_ros.remote.policy import RemotePolicy
from vla_accel_ros.remote.settings import RemoteSettings

SIZE = 16
DECLARED = {'remote_metres': 1.0, 'remote_radians': 1.0, 'remote_gripper': 'closed_is_one'}


def policy_at(url, state_names=(), **settings):
    given = {'remote_image_size': SIZE, **DECLARED, **settings}
    return RemotePolicy(RemoteSettings(remote=url, **given), state_names)


def observation(words='lift', views=1, level=255, proprio=None):
    image = np.full((SIZE, SIZE, 3), level, np.uint8)
    return Observation((image,) * views, words, proprio=proprio)


@pytest.fixture
def policy(server):
    made = policy_at(server.url)
    yield made
    made.close()


def test_a_chunk_comes_back_with_its_timings(policy):
    prediction = policy.predict(observation())
    assert prediction.chunk_values.shape == (4, 7)
    assert prediction.chunk_values[:, 0] == pytest.approx(0.01)
    assert prediction.chunk_values[:, 6].tolist() == [1.0] * 4
    assert prediction.timings_ms['server'] == 1.5
    assert prediction.timings_ms['total'] >= prediction.timings_ms['remote'] > 0
    assert prediction.kept == policy.config.visual_tokens == 1


def test_self_test_shows_whether_the_server_sees(policy):
    assert policy.self_test() == pytest.approx(0.01)
    with pytest.raises(CameraCountError, match='got 2 images, remote_images names 1 views'):
        policy.self_test(2)
    assert policy.warm_up(1) > 0


def test_several_views_and_the_state_go_out_under_their_keys(server):
    policy = policy_at(
        server.url, ('j1', 'j2'), remote_images=('a', 'b'), remote_state='observation/state'
    )
    prediction = policy.predict(observation(views=2, proprio=np.array([0.25, 0.5])))
    policy.close()
    assert prediction.chunk_values[0, 2] == pytest.approx(0.75)
    assert prediction.chunk_values[0, 0] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ('words', 'error', 'message'),
    [
        ('nan', NotFiniteError, 'NaN or infinite'),
        ('wide', RemoteAnswerError, r'shape \[4, 14\], expected \[n, 7\]'),
        ('opened', RemoteAnswerError, 'gripper is -1'),
        ('text', RemoteRefusedError, 'KeyError: observation/image$'),
        ('garbage', RemoteAnswerError, 'no msgpack'),
        ('nameless', RemoteAnswerError, "no 'actions' but action: set remote_actions"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named_and_the_next_one_is_used(
    policy, words, error, message
):
    with pytest.raises(error, match=message):
        policy.predict(observation(words))
    policy.connection._next = 0.0
    assert policy.predict(observation()).chunk_values.shape == (4, 7)


def test_a_late_answer_is_never_taken_for_the_next_ones(server):
    policy = policy_at(server.url, remote_timeout=0.3)
    with pytest.raises(RemoteTimeoutError, match=r'no answer within 0\.3 s'):
        policy.predict(observation('silent'))
    policy.connection._next = 0.0
    dark = policy.predict(observation(level=0))
    policy.close()
    assert dark.chunk_values[0, 0] == 0.0


def test_a_server_that_dies_and_comes_back_is_connected_to_again():
    server = ServerProcess()
    policy = policy_at(server.url)
    policy.predict(observation())
    with pytest.raises(RemoteDownError, match='closed the connection'):
        policy.predict(observation('die'))
    server.kill()
    policy.connection._next = 0.0
    with pytest.raises(RemoteDownError, match='refused'):
        policy.predict(observation())
    assert 'refused' in policy.trouble
    server.start()
    policy.connection._next = 0.0
    assert policy.predict(observation()).chunk_values.shape == (4, 7)
    assert policy.trouble == '' and policy.connection.links == 2
    policy.close()
    server.kill()


def test_a_server_that_goes_between_two_questions_is_named():
    server = ServerProcess()
    policy = policy_at(server.url)
    policy.predict(observation())
    server.kill()
    # Until the client itself has seen it go.
    policy.connection.link()._socket.recv_events_thread.join(10)
    with pytest.raises(RemoteDownError):
        policy.predict(observation())
    assert policy.trouble


def test_nobody_there_is_one_line():
    with pytest.raises(RemoteDownError, match=r'^ws://127\.0\.0\.1:\d+: .*refused'):
        policy_at(f'ws://127.0.0.1:{free_port()}').predict(observation())


def test_actions_that_nobody_declares_are_not_used(server):
    policy = RemotePolicy(RemoteSettings(remote=server.url, remote_image_size=SIZE))
    with pytest.raises(RemoteMismatchError, match='set remote_metres, remote_radians, remote_gr'):
        policy.predict(observation())


def test_pruning_and_decoder_change_nothing_and_that_is_said(server):
    policy = policy_at(server.url)
    assert policy.without_effect == ''
    policy.set_pruning('sp_vla', keep=0.5)
    policy.set_decoder('verify')
    assert 'pruning sp_vla, decoder verify: the model runs at ws://' in policy.without_effect
    assert policy.sibling().settings == policy.settings


def test_a_data_set_is_of_no_use_to_a_server_of_another_protocol_and_that_is_said(server):
    policy = RemotePolicy(policy_at(server.url).settings, unnorm_key='bridge_orig')
    assert policy.without_effect.startswith('unnorm_key bridge_orig: the model runs at ws://')


def test_a_server_of_two_arms_answers_joints(tmp_path):
    file = tmp_path / 'aloha.json'
    file.write_text(json.dumps(ALOHA.to_values()))
    server = ServerProcess(width=14)
    joints = policy_at(server.url, remote_space=str(file))
    tool = policy_at(server.url)
    try:
        chunk = joints.predict(observation()).chunk_values
        assert (joints.space, chunk.shape) == (ALOHA, (4, 14))
        assert chunk[:, 0] == pytest.approx(0.01)
        with pytest.raises(RemoteAnswerError, match=r'shape \[4, 14\], expected \[n, 7\]'):
            tool.predict(observation())
    finally:
        joints.close(), tool.close(), server.kill()


def test_a_space_that_is_none_is_refused_before_anything_is_asked():
    with pytest.raises(ValueError, match='expected one of'):
        RemoteSettings(remote='ws://127.0.0.1:1', remote_space='aloha')
