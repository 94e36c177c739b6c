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

"""Offline replay and the real nodes over DDS: the same bag, the same decisions."""

import argparse
import subprocess
import sys

from joint_checkpoints import joint_checkpoint
from joint_robots import ALOHA
import numpy as np
import pytest

from vla_accel_ros.commands import replay
from vla_accel_ros.graph import replay_graph
from vla_accel_ros.replay import options
from vla_accel_ros.replay.ahead import Ahead
from vla_accel_ros.replay.demo.writer import BagWriter
from vla_accel_ros.replay.offline import Offline
from vla_accel_ros.replay.page import Moments
from vla_accel_ros.replay.progress import Interrupt
from vla_accel_ros.replay.results import Reading
from vla_accel_ros.replay.session import prepare

NS = 1_000_000_000
STEP = NS // 20
BEGIN = 1_700_000_000 * NS
TEXTS = ('pick up the red cube', 'pick up the blue cube')
# Any motion is intuitive where the buffer allows it, so that all kinds of decision come.
OPEN = 'v_min=0,v_max=5,w_max=50,gripper_guard=false'
METHODS = (
    f'sp_vla@{OPEN},bridge=hold,max_bridge_steps=1,max_staleness=0.2',
    f'sp_vla+jacobi@{OPEN},keep=0.5',
)

NUMBERS = [f'number_{k}' for k in range(8)]
OF_JOINTS = ['--action-topic', 'none', '--engine', 'eager']


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    path = tmp_path_factory.mktemp('recorded') / 'bag'
    pixels = np.random.default_rng(4)
    with BagWriter(path, 0.05) as writer:
        for number, text in enumerate(TEXTS):
            begin = BEGIN + number * 10 * NS
            writer.instruction(begin - 1_000_000, text)
            for k in range(14):
                # A camera twice as fast as the policy for a while: not every frame is a step.
                stamp = begin + (k * STEP if k < 8 else 8 * STEP + (k - 8) * STEP // 2)
                writer.proprio(stamp, NUMBERS, 0.05 * k + 0.1 * np.arange(8))
                for camera in ('agent', 'wrist'):
                    writer.image(stamp, camera, pixels.integers(0, 256, (48, 64, 3), np.uint8))
                writer.action(stamp, np.zeros(7))
    return path


def offline(session):
    made = Offline(
        session.policy,
        session.methods,
        session.reference,
        session.latencies,
        session.splitter(),
        session.recorded(),
    )
    with Ahead(session.stream()) as ahead:
        return list(made.run(ahead, lambda: False, lambda *_: None))


@pytest.fixture(scope='module')
def joints(tmp_path_factory):
    """Give a checkpoint of two arms' joints, which wants eight numbers of state."""
    folder = tmp_path_factory.mktemp('joints')
    return joint_checkpoint(folder, ALOHA, TEXTS, cameras=2, proprio=8, chunk=1)


@pytest.mark.parametrize('latency', ['none', 'joints', '120', '230'])
def test_offline_and_graph_decide_alike(bag, checkpoint, joints, tmp_path, latency):
    parser = argparse.ArgumentParser()
    replay.configure(parser)
    method = METHODS[latency == 'none']
    clock = [] if latency == 'none' else ['--clock', 'real', '--latency-ms', latency]
    if latency == 'joints':
        checkpoint, clock = joints, ['--clock', 'real', '--latency-ms', '60', *OF_JOINTS]
    args = parser.parse_args(
        [str(bag), '--checkpoint', str(checkpoint), '--mode', 'graph', '--methods', method, *clock]
    )
    session = prepare(args, lambda _text: None)
    moments = Moments(session, tmp_path, later=True)
    played = replay_graph.play(
        session, session.methods[0], tmp_path / 'logs', moments, Interrupt(), Reading()
    )
    moments.recorder.close()
    episodes = offline(session)
    assert len(played) == len(episodes) == 2
    kinds = set()
    for trace, episode in zip(played, episodes, strict=True):
        expected = episode.traces[method]
        assert len(trace) == len(expected) == 11
        for word in expected.words:
            assert trace.words[word].tolist() == expected.words[word].tolist(), word
        np.testing.assert_array_equal(trace.actions, expected.actions)
        for name in ('latency_ms', 'keep', 'kept', 'passes', 'accepted'):
            np.testing.assert_allclose(
                trace.floats[name], expected.floats[name], rtol=1e-3, err_msg=name
            )
        np.testing.assert_array_equal(trace.called, expected.called)
        kinds |= {*trace.words['kind'], *(f'-{w}' for w in trace.words['discarded'] if w)}
    assert (
        kinds
        >= {
            'none': {'intuitive', 'deliberative'},
            'joints': {'bridged', 'deliberative'},
            '120': {'bridged', 'waiting'},
            '230': {'waiting', '-stale_answer'},
        }[latency]
    ), kinds


def test_the_whole_command_runs_over_the_nodes(bag, checkpoint, tmp_path):
    out = tmp_path / 'out'
    done = subprocess.run(
        [
            sys.executable,
            '-m',
            'vla_accel_ros.cli',
            'replay',
            str(bag),
            '--mode',
            'graph',
            '--checkpoint',
            str(checkpoint),
            '--methods',
            'none',
            '--out',
            str(out),
            '--rate',
            '20',
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert (out / 'results.json').exists() and (out / 'report.html').exists()
    assert 'reference' in done.stdout and '100%' in done.stdout


def test_what_the_graph_cannot_do_is_refused(bag, tmp_path):
    parser = argparse.ArgumentParser()
    options.configure(parser)
    for words, message in (
        (['--resume'], '--resume goes on with an offline run'),
        (['--clock', 'real'], 'plays in simulated time'),
    ):
        args = parser.parse_args([str(bag), '--mode', 'graph', *words])
        args.rate = 0.0
        with pytest.raises(ValueError, match=message):
            replay.run(args)


def test_nodes_that_fail_leave_their_logs_and_no_report(
    bag, checkpoint, tmp_path, monkeypatch, capfd
):
    parser, out = argparse.ArgumentParser(), tmp_path / 'out'
    replay.configure(parser)
    args = parser.parse_args(
        [
            str(bag),
            '--mode',
            'graph',
            '--checkpoint',
            str(checkpoint),
            '--methods',
            'none',
            '--out',
            str(out),
        ]
    )
    args.json = False
    # What happens where a node does not come up.
    monkeypatch.setattr(replay_graph, 'START_S', -1.0)
    assert replay.run(args) == 2
    assert 'camera, scheduler, inference are active' in capfd.readouterr().err
    assert sorted(file.name for file in out.iterdir()) == ['.vla-accel', 'logs']
