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


"""The demo: arguments, what it reports, and the whole graph as real processes, once."""

import argparse
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from checkpoints import random_checkpoint
import numpy as np
import pytest
import rclpy

from vla_accel_ros.commands import demo
from vla_accel_ros.graph import demo_picture
from vla_accel_ros.graph.demo_graph import (
    DOMAINS,
    ProcessDiedError,
    RunningGraph,
    is_quiet,
    reserve_domain,
)
from vla_accel_ros.graph.demo_report import DemoEpisode, line, summary, table
from vla_accel_ros.graph.operator import Record
from vla_accel_ros.graph.processes import Deployment, Process
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.tasks import all_instructions

SECOND = 1_000_000_000


def parse(*words):
    parser = argparse.ArgumentParser()
    demo.configure(parser)
    parser.add_argument('--json', action='store_true')
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ('words', 'complaint'),
    [
        (['--episodes', '0'], 'episodes is 0'),
        (['--limit', '-1'], 'limit is -1'),
        (['--arms', '0'], 'arms is 0, expected 1 to 8'),
        (['--arms', '3', '--min-success', '4'], 'min-success is 4, expected 0 to 3'),
        (['--min-success', '9'], 'min-success is 9, expected 0 to 5'),
        (['--seed', '-3'], 'seed is -3'),
        (['--task', 'make tea'], 'make tea'),
        (['--checkpoint', '/nowhere'], '/nowhere'),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_anything_starts(words, complaint):
    with pytest.raises((ValueError, FileNotFoundError), match=complaint):
        demo.run(parse(*words))


def test_a_kind_of_task_means_its_instructions_in_turn():
    lifts = all_instructions('lift')
    assert demo._instructions(parse('--episodes', '5')) == [*lifts, *lifts][:5]
    assert (
        demo._instructions(parse('--task', 'Pick up the BLUE cube', '--episodes', '2'))
        == ['pick up the blue cube'] * 2
    )


def decisions(*kinds, latency='20.0'):
    return [
        {
            'kind': kind,
            'reason': 'because',
            'stamp_ns': '0',
            'source': source,
            'latency_ms': latency if source == 'vla' else '',
            'age_ms': '30.0',
        }
        for kind, source in kinds
    ]


def episode(number=0, success=True, track=((0, 0, 0), (0.03, 0.04, 0))):
    record = Record(
        decisions=decisions(('deliberative', ''), ('deliberative', 'vla'), ('intuitive', 'ridge')),
        twists=[0.1] * 40,
        track=list(track),
    )
    return DemoEpisode(number, 7, 'pick up the red cube', record, seconds=2.0, success=success)


def test_the_summary_holds_what_was_seen():
    facts = summary([episode(), episode(1, success=False)], 'some', 1, 0.01)
    assert facts['ok'] is True
    assert facts['successes'] == 1
    assert facts['decisions'] == {'deliberative': 4, 'intuitive': 2}
    row = facts['episodes'][0]
    assert (row['moved_m'], row['actions'], row['actions_hz'], row['twists_hz']) == (
        0.05,
        2,
        1.0,
        20.0,
    )
    assert row['vla_ms'] == {'p50': 20.0, 'p95': 20.0, 'p99': 20.0}
    assert json.loads(json.dumps(facts)) == facts
    assert '1 of 2 done' in table(facts)


@pytest.mark.parametrize(
    ('episodes', 'wanted'),
    [
        ([episode(track=[(0, 0, 0)] * 3)], 0),
        ([episode(), episode(track=[])], 0),
        ([episode(success=False)], 1),
    ],
)
def test_it_fails_when_the_arm_did_not_move_in_each_or_too_few_were_done(episodes, wanted):
    facts = summary(episodes, 'some', wanted, 0.01)
    assert facts['ok'] is False
    table(facts)


def test_an_episode_without_any_decision_can_be_told_of():
    empty = DemoEpisode(0, 0, 'pick up the red cube', Record())
    assert 'waiting for the first decision' in line(empty, 5, [])
    facts = summary([empty], 'some', 0, 0.01)
    assert facts['ok'] is False
    assert facts['vla_ms'] is None
    table(facts)


def test_the_live_line_says_episode_decision_rate_and_latency():
    values = decisions(('deliberative', 'vla'))[0]
    text = line(episode(), 5, [(time.monotonic(), values)])
    for part in ('[1/5]', 'pick up the red cube', 'deliberative: because', '1 Hz', 'VLA 20 ms'):
        assert part in text
    assert 'done, 2 actions' in line(episode(), 5, [], final=True)


def test_pictures_come_at_an_even_rate_with_the_newest_state():
    states = [(0, 'a'), (SECOND // 2, 'b'), (SECOND * 3 // 4, 'c'), (SECOND, 'd')]
    assert list(demo_picture.sample(states, 4)) == [
        (0, 'a'),
        (SECOND // 4, 'a'),
        (SECOND // 2, 'b'),
        (SECOND * 3 // 4, 'c'),
        (SECOND, 'd'),
    ]


def test_an_episode_becomes_a_video_and_a_picture(tmp_path):
    import imageio_ffmpeg

    env = TabletopEnv(image_size=32)
    observation, _ = env.reset(seed=1)
    states, frames = [], []
    for number in range(5):
        env.advance(np.array([0.02, 0, 0, 0, 0, 0, 0]))
        states.append((number * SECOND // 20, env.save_state().physics))
        frames.append((number * SECOND // 20, 'agent', observation['agent']))
    pictures = demo_picture.render(states, frames, 'a test')
    assert len(pictures) == 5
    assert np.abs(pictures[0].astype(int) - pictures[-1]).max() > 50
    demo_picture.write_video(tmp_path / 'v.mp4', pictures)
    demo_picture.write_sheet(tmp_path / 'v.png', pictures)
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / 'v.mp4'))[0] == 5
    assert (tmp_path / 'v.png').stat().st_size > 10_000
    assert demo_picture.render([], [], 'nothing') == []


def test_two_demos_take_two_domains():
    one, first = reserve_domain()
    two, second = reserve_domain()
    with first, second:
        assert one != two
        assert {one, two} <= set(range(1, 102))


def test_the_demo_stays_out_of_a_domain_in_which_somebody_is(monkeypatch):
    domain, holder = reserve_domain()
    with holder:
        assert is_quiet(domain)
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=domain)
        robot = rclpy.create_node('robot', context=context)
        assert not is_quiet(domain)
    monkeypatch.setattr(os, 'getpid', lambda: DOMAINS.index(domain))
    other, holder = reserve_domain()
    holder.close()
    robot.destroy_node()
    rclpy.try_shutdown(context=context)
    assert other != domain
    # Nor the user's own, be there somebody or not.
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    other, holder = reserve_domain()
    holder.close()
    assert other != domain


def test_a_process_that_ends_by_itself_is_noticed_with_the_end_of_its_log(tmp_path):
    listed = [Process('no_such_node', {})]
    with RunningGraph(listed, Deployment(), tmp_path, {'ROS_DOMAIN_ID': '0'}) as graph:
        graph._running['no_such_node'].wait(60)
        with pytest.raises(ProcessDiedError, match='no_such_node has ended with code 1'):
            graph.check()


def start(*words):
    return subprocess.Popen(
        [sys.executable, '-m', 'vla_accel_ros.cli', 'demo', *words],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_alive(pid):
    return (
        Path(f'/proc/{pid}/cmdline').exists()
        and b'vla_accel_ros' in Path(f'/proc/{pid}/cmdline').read_bytes()
    )


def nodes_of(pid):
    """List the node processes that a demo has started."""
    children = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return [int(child) for child in children if is_alive(child)]


def test_the_whole_graph_moves_the_arm_by_a_real_model_and_leaves_nothing_behind(tmp_path):
    folder = random_checkpoint(tmp_path / 'checkpoint')
    running = start(
        '--json',
        '--episodes',
        '2',
        '--limit',
        '4',
        '--seed',
        '3',
        '--checkpoint',
        str(folder),
        '--out',
        str(tmp_path / 'out'),
    )
    out, errors = running.communicate(timeout=110)
    assert running.returncode == 0, errors
    facts = json.loads(out)
    assert facts['arm_moved_in_each'] is True
    assert [row['seed'] for row in facts['episodes']] == [3, 4]
    assert all(row['actions'] > 5 for row in facts['episodes'])
    assert facts['decisions']['deliberative'] > 10
    for name in ('video', 'picture', 'summary'):
        assert Path(facts['files'][name]).stat().st_size > 500
    left = [
        entry
        for entry in Path('/proc').glob('[0-9]*')
        if str(tmp_path).encode() in (entry / 'cmdline').read_bytes()
    ]
    assert left == []


@pytest.mark.parametrize('signum', [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_ends_its_nodes(tmp_path, signum):
    folder = random_checkpoint(tmp_path / 'checkpoint')
    running = start('--checkpoint', str(folder), '--out', str(tmp_path / 'out'))
    for text in running.stdout:
        if 'starting' in text:
            break
    nodes = []
    while len(nodes) < 5:
        assert running.poll() is None
        nodes = nodes_of(running.pid)
    running.send_signal(signum)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 128 + signum, errors
    assert 'interrupted' in errors
    assert [node for node in nodes if is_alive(node)] == []
