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

"""LeRobot's policy server: real gRPC, with a server of the test's own."""

import threading

from lerobot_policy_server import SLOW, LeRobotProcess
import numpy as np
from policy_server import free_port
import pytest

from vla_accel_ros.models.prediction import NotFiniteError
from vla_accel_ros.observations import Observation
from vla_accel_ros.remote.errors import (
    RemoteAnswerError,
    RemoteDownError,
    RemoteRefusedError,
    RemoteTimeoutError,
)
from vla_accel_ros.remote.lerobot import LOAD_AGAIN_S
from vla_accel_ros.remote.lerobot_wire import PIECE
from vla_accel_ros.remote.policy import RemotePolicy
from vla_accel_ros.remote.settings import RemoteSettings

SIZE = 16
JOINTS = ('shoulder.pos', 'elbow.pos')
SETTINGS = {
    'remote_image_size': SIZE,
    'remote_images': ('front', 'wrist'),
    'remote_policy': 'lerobot/smolvla_base',
    'remote_policy_type': 'smolvla',
    'remote_metres': 1.0,
    'remote_radians': 1.0,
    'remote_gripper': 'closed_is_one',
    'remote_timeout': 5.0,
}


@pytest.fixture(scope='module')
def server():
    running = LeRobotProcess()
    yield running
    running.kill()


def policy_at(url, **changed):
    return RemotePolicy(RemoteSettings(remote=url, **{**SETTINGS, **changed}), JOINTS)


def ask(policy, words='lift', level=255):
    image = np.full((policy.image_size, policy.image_size, 3), level, np.uint8)
    # The wait after a failure is another test's.
    policy.connection._next = 0.0
    proprio = np.array([0.25, 0.5])
    return policy.predict(Observation((image,) * 2, words, proprio=proprio)).chunk_values


@pytest.fixture
def policy(server):
    made = policy_at(server.url)
    yield made
    made.close()


def test_pictures_state_and_task_go_out_and_the_chunk_comes_back(policy):
    chunk = ask(policy)
    assert chunk.shape == (4, 7) and chunk.dtype == np.float64
    assert chunk[:, 0] == pytest.approx(0.01)
    assert chunk[:, 2] == pytest.approx(0.75)
    assert chunk[:, 6].tolist() == [1.0] * 4
    assert policy.self_test() == pytest.approx(0.01)


def test_an_observation_of_several_messages_arrives_whole(server):
    size = 1200
    assert 2 * size * size * 3 > 3 * PIECE
    policy = policy_at(server.url, remote_image_size=size)
    assert ask(policy, level=51)[:, 0] == pytest.approx(0.002)
    policy.close()


def test_no_more_rows_come_than_were_asked_for(server):
    policy = policy_at(server.url, remote_policy_rows=2)
    assert ask(policy).shape == (2, 7)
    policy.close()


@pytest.mark.parametrize(
    ('words', 'error', 'message'),
    [
        ('nan', NotFiniteError, 'NaN or infinite'),
        ('wide', RemoteAnswerError, r'shape \[4, 14\], expected \[n, 7\]'),
        ('flat', RemoteAnswerError, 'an action has 2 dimensions, expected 1'),
        ('ragged', RemoteAnswerError, r'the actions have \[6, 7\] columns'),
        ('text', RemoteRefusedError, r'observation\.images\.front'),
        ('nothing', RemoteRefusedError, 'gives no actions; its own log says why'),
        ('garbage', RemoteAnswerError, 'the pickle'),
        ('huge', RemoteAnswerError, 'larger than max'),
    ],
)
def test_an_answer_that_cannot_be_used_is_named_and_the_next_one_is_used(
    policy, words, error, message
):
    with pytest.raises(error, match=message):
        ask(policy, words)
    assert ask(policy).shape == (4, 7)


def test_a_command_in_an_answer_is_named_and_never_run(policy, tmp_path):
    file = tmp_path / 'run'
    with pytest.raises(RemoteAnswerError, match=r"the pickle names 'posix\.system'"):
        ask(policy, f'hostile touch${{IFS}}{file}')
    assert not file.exists()


def test_the_answer_to_another_question_is_passed_over(policy):
    assert ask(policy, level=0)[0, 0] == 0.0
    assert ask(policy, 'again', level=255)[0, 0] == pytest.approx(0.01)


def test_a_late_answer_is_never_taken_for_the_next_ones_and_the_policy_is_loaded_once(server):
    policy = policy_at(server.url, remote_timeout=0.5)
    loads = ask(policy)[0, 1]
    with pytest.raises(RemoteTimeoutError, match=r'no answer within 0\.5 s'):
        ask(policy, 'silent')
    dark = ask(policy, level=0)
    policy.close()
    assert dark[0, 0] == 0.0 and dark[0, 1] == loads
    assert policy.connection.links == 2


def test_a_server_that_dies_and_comes_back_loads_the_policy_again():
    server = LeRobotProcess()
    policy = policy_at(server.url)
    ask(policy)
    with pytest.raises(RemoteDownError):
        ask(policy, 'die')
    server.kill()
    with pytest.raises(RemoteDownError, match='refused'):
        ask(policy)
    assert 'refused' in policy.trouble
    server.start()
    assert ask(policy)[0, 1] == pytest.approx(0.001)
    # And once more without a question in between.
    server.kill()
    server.start()
    with pytest.raises((RemoteDownError, RemoteRefusedError)):
        ask(policy)
    assert ask(policy).shape == (4, 7) and policy.trouble == ''
    policy.close()
    server.kill()


def test_a_policy_that_never_answered_is_loaded_again_but_not_at_every_question(server):
    other = policy_at(server.url)
    before = ask(other)[0, 1]
    other.close()
    policy = policy_at(server.url)
    for _ in range(2):
        with pytest.raises(RemoteRefusedError, match='gives no actions'):
            ask(policy, 'nothing')
    link = policy.connection.link()
    # A server of this address that is started anew has no policy, and nobody saw it go.
    link._loading_since -= LOAD_AGAIN_S
    with pytest.raises(RemoteRefusedError, match='gives no actions'):
        ask(policy, 'nothing')
    first, again = ask(policy)[0, 1], ask(policy)[0, 1]
    policy.close()
    # Once at the start, and once again.
    assert first == again == pytest.approx(before + 2 * 0.001)


def test_a_server_that_hangs_is_late_and_goes_on(server):
    policy = policy_at(server.url, remote_timeout=0.5)
    ask(policy)
    server.freeze()
    for _ in range(2):
        with pytest.raises(RemoteTimeoutError, match=r'no answer within 0\.5 s'):
            ask(policy)
    server.thaw()
    assert ask(policy).shape == (4, 7)
    policy.close()


def test_a_policy_that_loads_slowly_is_waited_for_without_holding_up_the_node(server):
    policy = policy_at(server.url, remote_policy=SLOW, remote_timeout=0.3)
    for _ in range(2):
        with pytest.raises(RemoteDownError, match=r'the server is loading its policy, for \d+ s'):
            ask(policy)
    assert 'loading its policy' in policy.trouble
    server.release()
    assert ask(policy).shape == (4, 7)
    policy.close()


def test_a_question_ends_when_the_connection_is_closed_meanwhile(server):
    policy = policy_at(server.url, remote_timeout=20.0)
    ask(policy)
    link, found = policy.connection.link(), []
    asked = link._step

    def question():
        with pytest.raises(RemoteDownError) as caught:
            ask(policy, 'silent')
        found.append(str(caught.value))

    thread = threading.Thread(target=question)
    thread.start()
    while link._step == asked:
        assert thread.is_alive()
    policy.close()
    thread.join(10)
    assert len(found) == 1


def test_what_the_server_cannot_load_is_quoted(server):
    policy = policy_at(server.url, remote_policy_type='none')
    with pytest.raises(RemoteRefusedError, match='Policy type none not supported'):
        ask(policy)
    policy.close()


def test_nobody_there_is_one_line():
    with pytest.raises(RemoteDownError, match=r'^grpc://127\.0\.0\.1:\d+: .*refused'):
        ask(policy_at(f'grpc://127.0.0.1:{free_port()}'))
