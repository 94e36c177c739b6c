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

"""The parameters of a remote policy: what goes together, and what is refused by name."""

import pytest

from vla_accel_ros.remote.settings import RemoteSettings


def test_without_a_url_nothing_is_remote_and_nothing_is_checked():
    assert not RemoteSettings(remote_columns=('anything',)).remote


@pytest.mark.parametrize(
    ('url', 'protocol', 'views', 'prompt'),
    [
        ('ws://here:8000', 'openpi', ('observation/image',), 'prompt'),
        ('wss://here', 'openpi', ('observation/image',), 'prompt'),
        ('http://here:8000/act', 'act', ('image',), 'instruction'),
    ],
)
def test_the_url_says_the_protocol_and_that_the_keys(url, protocol, views, prompt):
    settings = RemoteSettings(remote=url)
    assert (settings.protocol, settings.views, settings.prompt) == (protocol, views, prompt)


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'remote': 'here:8000'}, 'expected ws://HOST:PORT'),
        ({'remote': 'ws://'}, 'expected ws://HOST:PORT'),
        ({'remote': 'ws://here:99999'}, "is 'ws://here:99999', expected ws://HOST:PORT"),
        ({'remote': 'http://[::1/act'}, 'expected ws://HOST:PORT'),
        ({'remote': 'grpcs://here:1'}, 'or grpc://HOST:PORT'),
        ({'remote_images': ('a', 'a')}, "keys of an observation are \\['a', 'a', 'prompt'\\]"),
        ({'remote_images': ('a', 'prompt')}, 'each name once'),
        ({'remote_state': 'prompt'}, 'each name once'),
        ({'remote_columns': ('x',)}, 'remote_columns are'),
        ({'remote_gripper': 'sideways'}, 'remote_gripper'),
        ({'remote_metres': -1.0}, 'remote_metres is -1'),
        ({'remote_timeout': 100.0}, 'remote_timeout is 100'),
    ],
)
def test_what_does_not_go_together_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        RemoteSettings(**{'remote': 'ws://here:8000', **values})


def test_a_state_wants_names():
    values = {'remote': 'ws://here:1', 'remote_state': 'state'}
    with pytest.raises(ValueError, match='proprio_names is empty'):
        RemoteSettings.of({**values, 'proprio_names': ('',)})
    assert RemoteSettings.of({**values, 'proprio_names': ('a',)}).remote_state == 'state'


LEROBOT = {
    'remote': 'grpc://here:8080',
    'remote_policy': 'lerobot/smolvla_base',
    'remote_policy_type': 'smolvla',
    'remote_images': ('front',),
}


def test_lerobots_server_has_its_own_keys():
    settings = RemoteSettings(**LEROBOT)
    assert (settings.protocol, settings.views, settings.prompt) == ('lerobot', ('front',), 'task')
    assert settings.layout.states == (('observation.state', 0),)


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'remote_policy': ''}, 'remote_policy: expected what grpc://here:8080 shall load'),
        ({'remote_policy_type': ''}, 'remote_policy_type: expected what'),
        ({'remote_images': ('',)}, "remote_images is empty, expected the names of the policy's"),
        ({'remote_state': 'state'}, 'expected none: LeRobot has its own keys'),
        ({'remote_prompt': 'prompt'}, "LeRobot's server reads 'task'"),
        ({'remote_layout': 'droid'}, 'the layout is of an openpi server'),
        ({'remote_policy_rows': 0}, 'remote_policy_rows is 0'),
        (
            {'proprio_names': ('',)},
            "remote_state is 'observation.state' and proprio_names is empty",
        ),
        ({'proprio_names': ('a', 'front')}, "proprio_names has front, which is a view's name"),
        ({'proprio_names': ('task',)}, 'proprio_names has task'),
    ],
)
def test_what_lerobots_server_does_not_know_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        RemoteSettings.of({**LEROBOT, 'proprio_names': ('a', 'b'), **values})
