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

"""`vla-accel serve` as a process, asked by `openpi-client` and by our own client."""

from collections import defaultdict
import json
import signal
import subprocess
import sys
from urllib.request import urlopen

from checkpoints import SIZE, random_checkpoint
import msgpack
import numpy as np
from openpi_client.websocket_client_policy import WebsocketClientPolicy
import pytest
from websockets.sync.client import connect

from vla_accel_ros import cli
from vla_accel_ros.acceleration import apply_method, grammar
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.remote.errors import RemoteMismatchError
from vla_accel_ros.remote.metadata import RESET
from vla_accel_ros.remote.policy import RemotePolicy
from vla_accel_ros.remote.settings import RemoteSettings
from vla_accel_ros.remote.wire import unpack

# Looks back on the frames before, so that clients that were mixed up would show.
METHOD = 'specprune@keep=0.3'
VIEWS = ('observation/image', 'observation/wrist_image')
WORDS = 'pick up the red cube'


def start(folder, *arguments):
    process = subprocess.Popen(
        [sys.executable, '-m', 'vla_accel_ros.cli', 'serve', str(folder), '--port', '0']
        + ['--threads', '1', '--engine', 'eager', '--method', METHOD, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return process, line


def end(process, signum):
    process.send_signal(signum)
    process.wait(timeout=30)
    # Not by `communicate`: some of it is read already.
    with process.stdout, process.stderr:
        return process.returncode, process.stdout.read(), process.stderr.read()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return random_checkpoint(tmp_path_factory.mktemp('served'))


@pytest.fixture(scope='module')
def url(folder):
    process, line = start(folder, '--json', '--clients', '3')
    yield json.loads(line)['url']
    assert end(process, signal.SIGTERM)[0] == 0


@pytest.fixture(scope='module')
def local(folder):
    return Policy.load(folder, threads=1)


@pytest.fixture
def client(url):
    made = WebsocketClientPolicy(url)
    yield made
    made._ws.close()


def pictures(seed):
    made = np.random.default_rng(seed).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    return tuple(made)


def observation(seed, words=WORDS, **more):
    return {**dict(zip(VIEWS, pictures(seed), strict=True)), 'prompt': words, **more}


def expected(local, seeds):
    """Answer frames one after the other as a robot's own policy would."""
    policy = local.sibling()
    apply_method(grammar.parse(METHOD), policy)
    found, motion = [], None
    for seed in seeds:
        answer = policy.predict(Observation(pictures(seed), WORDS), motion=motion)
        motion = Motion.from_action(answer.chunk_values[-1], 0.05)
        found.append(answer)
    return found


def test_the_client_is_told_what_is_served_and_what_the_numbers_mean(client, folder):
    told = client.get_server_metadata()
    assert told['checkpoint'] == folder.name and told['method'] == METHOD
    own = told['vla_accel']
    assert own['images'] == list(VIEWS) and own['image_size'] == SIZE
    assert own['actions']['gripper'] == 'closed_is_one' and own['actions']['metres'] == 1.0


def test_answers_are_the_policys_own_with_their_timings(client, local):
    seeds = range(4)
    for answer, own in zip(
        [client.infer(observation(seed)) for seed in seeds], expected(local, seeds), strict=True
    ):
        assert answer['actions'] == pytest.approx(own.chunk_values)
        assert answer['vla_accel']['kept_tokens'] == own.kept
        assert answer['server_timing']['infer_ms'] >= answer['policy_timing']['infer_ms'] > 0


def test_clients_that_take_turns_have_an_episode_each(url, local):
    seeds = {'a': [21, 22, 23, 24], 'b': [31, 32, 33, 34]}
    mixed = expected(local, [21, 31, 22])[-1].chunk_values
    clients = {name: WebsocketClientPolicy(url) for name in seeds}
    answers = defaultdict(list)
    for turn in range(4):
        for name, own in clients.items():
            answers[name].append(own.infer(observation(seeds[name][turn]))['actions'])
    for name, own in clients.items():
        own._ws.close()
        wanted = [each.chunk_values for each in expected(local, seeds[name])]
        assert np.array(answers[name]) == pytest.approx(np.array(wanted))
    assert answers['a'][1] != pytest.approx(mixed)


def test_an_episode_begins_anew_where_the_client_says_so(client, local):
    client.infer(observation(21))
    again = client.infer(observation(22, **{RESET: True}))
    assert again['actions'] == pytest.approx(expected(local, [22])[0].chunk_values)
    assert again['actions'] != pytest.approx(expected(local, [21, 22])[1].chunk_values)


@pytest.mark.parametrize(
    ('changed', 'words'),
    [
        ({VIEWS[1]: None}, 'wrist_image is NoneType'),
        ({VIEWS[0]: np.zeros((4, 4, 3))}, r'image is float64 \[4, 4, 3\], expected uint8'),
        ({VIEWS[0]: np.zeros((4, 4), np.uint8)}, r'image is uint8 \[4, 4\]'),
        ({'prompt': ''}, "prompt is '', expected an instruction"),
        ({'vla_accel/draft': np.zeros(3)}, r'draft has the shape \[3\], expected \[7\]'),
        ({'vla_accel/tail': np.zeros((2, 3))}, r'tail has the shape \[2, 3\], expected \[n, 7\]'),
        ({'vla_accel/tail': np.zeros((0, 7))}, r'tail has the shape \[0, 7\]'),
        ({'vla_accel/delay': -1}, 'delay is -1, expected a whole number'),
        ({'vla_accel/motion': np.full(7, np.nan)}, 'expected finite numbers'),
        ({'vla_accel/motion': np.zeros(7)}, 'step_s is 0'),
        ({RESET: np.zeros(2)}, 'reset is ndarray, expected true or false'),
    ],
)
def test_a_bad_observation_is_answered_in_a_line_and_the_episode_goes_on(
    client, local, changed, words
):
    client.infer(observation(21))
    with pytest.raises(RuntimeError, match=words) as raised:
        client.infer({**observation(0), **changed})
    assert 'Traceback' not in str(raised.value)
    wanted = expected(local, [21, 22])[1].chunk_values
    assert client.infer(observation(22))['actions'] == pytest.approx(wanted)


def test_an_instruction_with_unknown_words_is_named_and_ends_the_episode_before(client, local):
    client.infer(observation(21))
    with pytest.raises(RuntimeError, match='elephants'):
        client.infer(observation(0, 'juggle the purple elephants'))
    wanted = expected(local, [22])[0].chunk_values
    assert client.infer(observation(22))['actions'] == pytest.approx(wanted)


def test_a_key_that_is_missing_is_named_with_those_that_are_there(client):
    with pytest.raises(RuntimeError, match="no 'observation/image' but prompt"):
        client.infer({'prompt': WORDS})


TOO_LARGE = msgpack.packb({b'__npgeneric__': True, b'data': 300, b'dtype': '|u1'})


@pytest.mark.parametrize('message', [b'\xc1', b'\x01', 'a text', TOO_LARGE])
def test_what_is_no_observation_is_answered_with_a_text_and_the_connection_stays(url, message):
    with connect(url) as raw:
        assert 'vla_accel' in unpack(raw.recv())
        for _ in range(2):
            raw.send(message)
            assert isinstance(raw.recv(), str)


def test_more_clients_than_are_taken_are_turned_away_and_told(url):
    clients = [WebsocketClientPolicy(url) for _ in range(3)]
    with connect(url) as raw:
        assert 'has 3 clients' in raw.recv()
    for own in clients:
        own._ws.close()


def test_a_refusal_that_quotes_the_client_is_one_short_line(client):
    with pytest.raises(RuntimeError, match='but a b') as raised:
        client.infer({'a\nb' * 10_000: 1})
    assert len(str(raised.value).splitlines()[-1]) == 2000


def test_health_is_answered_over_http(url):
    with urlopen(f'{url.replace("ws", "http")}/healthz') as response:
        assert response.status == 200


def test_our_own_client_needs_no_declarations_and_gets_what_a_local_policy_gives(url, local):
    settings = RemoteSettings(remote=url, remote_images=VIEWS, remote_image_size=SIZE)
    remote = RemotePolicy(settings)
    assert remote.self_test(2) > 0
    own = local.sibling()
    apply_method(grammar.parse(METHOD), own)
    motion, draft = None, None
    for seed in range(3):
        views = Observation(pictures(seed), WORDS)
        answer = remote.predict(views, motion=motion, draft=draft)
        wanted = own.predict(views, motion=motion, draft=draft)
        assert answer.chunk_values == pytest.approx(wanted.chunk_values)
        motion, draft = Motion((0.01, 0.0, 0.02), (0.0, 0.1, 0.0), 0.05), wanted.chunk_values[0]
    remote.close()


@pytest.mark.parametrize(
    ('changed', 'words'),
    [
        ({'remote_images': VIEWS[:1]}, 'set remote_images'),
        ({'remote_image_size': 99}, 'set remote_image_size'),
        ({'remote_gripper': 'open_is_one'}, "remote_gripper is 'open_is_one', and the server"),
    ],
)
def test_parameters_that_contradict_the_server_are_refused(url, changed, words):
    given = {'remote_images': VIEWS, 'remote_image_size': SIZE, **changed}
    with pytest.raises(RemoteMismatchError, match=words):
        RemotePolicy(RemoteSettings(remote=url, **given)).self_test()


def test_ctrl_c_ends_it_in_order_while_a_client_is_connected(folder):
    process, line = start(folder)
    assert METHOD in line and 'ws://127.0.0.1:' in line
    address = line.split('ws://')[1].split(' ')[0]
    client = WebsocketClientPolicy(f'ws://{address}')
    client.infer(observation(0))
    code, out, err = end(process, signal.SIGINT)
    assert code == 0 and 'Traceback' not in err
    assert 'WebsocketClientPolicy' in out
    client._ws.close()


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--port', '70000'], '--port is 70000'),
        (['--clients', '0'], '--clients is 0'),
        (['--policy-step', '0'], '--policy-step is 0'),
        (['--method', 'warp'], "method 'warp' is unknown"),
        (['--image-keys', 'a'], 'the checkpoint wants 2 views'),
    ],
)
def test_arguments_that_make_no_sense_are_one_line(folder, arguments, words, capsys):
    assert cli.main(['serve', str(folder), '--engine', 'eager', *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == '' and words in err.splitlines()[-1]


def test_the_service_of_moveit_pro_is_refused_without_its_messages(folder, capsys):
    assert cli.main(['serve', str(folder), '--chunk-service', '/chunk', '--engine', 'eager']) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert 'moveit_pro_ml_msgs is not installed' in said and 'MoveIt Pro' in said
