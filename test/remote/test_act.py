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

"""OpenVLA's `/act`: a real HTTP server that reads and writes with `json_numpy`."""

from act_server import ROW, act_server
import numpy as np
import pytest

from vla_accel_ros.observations import Observation
from vla_accel_ros.remote.errors import (
    RemoteAnswerError,
    RemoteDownError,
    RemoteRefusedError,
    RemoteTimeoutError,
)
from vla_accel_ros.remote.policy import RemotePolicy
from vla_accel_ros.remote.settings import RemoteSettings

SIZE = 8


@pytest.fixture(scope='module')
def server():
    with act_server() as running:
        yield running


def policy_at(server, path='/act', **changed):
    settings = {
        'remote_image_size': SIZE,
        'remote_metres': 1.0,
        'remote_radians': 1.0,
        'remote_gripper': 'open_is_one',
        'remote_timeout': 0.3,
        **changed,
    }
    url = f'http://127.0.0.1:{server.server_address[1]}{path}'
    return RemotePolicy(RemoteSettings(remote=url, **settings), ('j1', 'j2'))


def ask(policy, words='lift', **more):
    image = np.full((SIZE, SIZE, 3), 7, np.uint8)
    return policy.predict(Observation((image,) * policy.cameras, words, **more))


@pytest.mark.parametrize('path', ['', '/', '/act'])
def test_an_observation_goes_to_act_and_its_action_comes_back(server, path):
    prediction = ask(policy_at(server, path))
    assert prediction.chunk_values.tolist() == [[*ROW[:6], 0.0]]
    path, payload = server.seen[-1]
    assert path == '/act' and set(payload) == {'image', 'instruction'}
    assert payload['image'].dtype == np.uint8 and payload['image'].shape == (SIZE, SIZE, 3)


def test_views_and_state_of_oft_go_out_under_its_keys(server):
    keys = ('full_image', 'wrist_image')
    policy = policy_at(server, remote_images=keys, remote_state='state')
    assert ask(policy, 'chunk', proprio=np.array([0.5, 1.0])).chunk_values.shape == (2, 7)
    payload = server.seen[-1][1]
    assert set(payload) == {*keys, 'state', 'instruction'}
    assert payload['state'].tolist() == [0.5, 1.0]


def test_the_data_set_to_unnormalise_with_goes_out_where_it_is_said_also_for_another_arm(server):
    policy = RemotePolicy(policy_at(server).settings, unnorm_key='bridge_orig')
    for each in (policy, policy.sibling()):
        ask(each)
        assert server.seen.pop()[1]['unnorm_key'] == 'bridge_orig'
        assert not each.without_effect


def test_the_key_goes_out_without_the_newline_of_its_file_and_no_key_where_none_is(
    server, monkeypatch
):
    ask(policy_at(server))
    assert server.key is None
    monkeypatch.setenv('VLA_ACCEL_REMOTE_KEY', 'secret\n')
    ask(policy_at(server))
    assert server.key == 'Bearer secret'


def test_an_answer_that_is_encoded_twice_is_read(server):
    assert ask(policy_at(server), 'twice').chunk_values.shape == (1, 7)


@pytest.mark.parametrize(
    ('words', 'error', 'message'),
    [
        ('error', RemoteRefusedError, 'error$'),
        ('broken', RemoteRefusedError, '500 Internal Server Error'),
        ('wide', RemoteAnswerError, r'shape \[9\]'),
        ('html', RemoteAnswerError, 'no JSON'),
        ('silent', RemoteTimeoutError, r'no answer within 0\.3 s'),
        ('drip', RemoteTimeoutError, r'no answer within 0\.3 s'),
        ('head drips', RemoteTimeoutError, r'no answer within 0\.3 s'),
        ('dies', RemoteDownError, r'IncompleteRead\(\d+ bytes read, \d+ more expected'),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(server, words, error, message):
    with pytest.raises(error, match=message):
        ask(policy_at(server), words)


def test_nobody_there_is_named(server):
    policy = policy_at(server)
    object.__setattr__(policy.settings, 'remote', 'http://127.0.0.1:9')
    with pytest.raises(RemoteDownError, match=r'http://127\.0\.0\.1:9/act: .*refused'):
        ask(policy)
