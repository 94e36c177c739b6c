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

"""`vla-accel record-demo`: a bag that anyone can make."""

import json
import os
import signal

import bags
import numpy as np
import pytest

from vla_accel_ros import cli
from vla_accel_ros.replay.bag.reader import Bag
from vla_accel_ros.replay.demo.writer import BagWriter
from vla_accel_ros.replay.lerobot.reader import Dataset
from vla_accel_ros.replay.stream import Fitting, Stream
from vla_accel_ros.replay.topics import Wishes, assign


def record(out, *arguments):
    return cli.main(['record-demo', '--out', str(out), '--image-size', '32', *map(str, arguments)])


def contents(path):
    bag = Bag(path)
    return [(r.topic, r.log_ns, bytes(r.data)) for r in bag.messages(set(bag.topics))]


def observations(path):
    bag = Bag(path)
    roles = assign(bag.topics, Wishes(), 2)
    return [m.observation for m in Stream(bag, roles, Fitting(0)) if m.observation is not None]


def test_the_expert_is_recorded_and_the_same_seed_gives_the_same_bag(tmp_path, capsys):
    for name in ('one', 'other'):
        assert record(tmp_path / name, '--expert', '--episodes', 2, '--json') == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts['episodes'] == facts['successes'] == 2
    assert contents(tmp_path / 'one') == contents(tmp_path / 'other')
    bag = Bag(tmp_path / 'one')
    assert {n: t.kind for n, t in bag.topics.items()} == {
        '/image_raw': bags.IMAGE,
        '/wrist/image_raw': bags.IMAGE,
        '/vla/action': bags.TRAJECTORY,
        '/servo_node/delta_twist_cmds': bags.TWIST,
        '/ee_pose': bags.POSE,
        '/gripper_command': bags.FLOAT,
        '/vla/instruction': bags.STRING,
    }
    assert bag.topics['/image_raw'].count == facts['frames']
    assert bag.topics['/vla/instruction'].count == 2
    # On change only: open at the start of each episode, closed at the grasp.
    assert bag.topics['/gripper_command'].count == 4
    assert {o.instruction for o in observations(tmp_path / 'one')} == {
        'pick up the red cube',
        'pick up the green cube',
    }


def test_pictures_are_compressed_where_that_is_asked_for(tmp_path):
    assert record(tmp_path / 'raw', '--expert', '--episodes', 1) == 0
    assert record(tmp_path / 'small', '--expert', '--episodes', 1, '--compressed') == 0
    one, other = observations(tmp_path / 'raw'), observations(tmp_path / 'small')
    assert Bag(tmp_path / 'small').topics['/image_raw/compressed'].kind == bags.COMPRESSED
    assert len(one) == len(other)
    difference = one[5].images[0].astype(int) - other[5].images[0]
    assert 0 < np.abs(difference).mean() < 8


def test_what_the_policy_did_is_what_its_replay_does(tmp_path, random_checkpoint):
    checkpoint = ['--checkpoint', str(random_checkpoint)]
    assert record(tmp_path / 'bag', '--episodes', 1, *checkpoint) == 0
    assert (
        cli.main(
            [
                'replay',
                str(tmp_path / 'bag'),
                '--out',
                str(tmp_path / 'out'),
                '--methods',
                'none',
                *checkpoint,
            ]
        )
        == 0
    )
    found = json.loads((tmp_path / 'out' / 'results.json').read_text())
    values = found['methods'][0]['values']
    assert found['steps'] > 50
    assert values['recorded_translation_mm_max']['value'] == 0
    assert values['recorded_gripper_agreement']['value'] == 100


def test_a_recorded_episode_becomes_a_lerobot_dataset_with_its_actions(tmp_path, capsys):
    assert record(tmp_path / 'bag', '--expert', '--episodes', 1, '--json') == 0
    steps = json.loads(capsys.readouterr().out.splitlines()[-1])['frames']
    data = tmp_path / 'data'
    assert cli.main(['lerobot', str(tmp_path / 'bag'), '--cameras', '2', '--out', str(data)]) == 0
    frames = list(Dataset(data).frames())
    # The last picture has no action behind it.
    assert steps - 1 <= len(frames) <= steps
    assert {frame.task for frame in frames} == {'pick up the red cube'}
    assert [view.shape for view in frames[0].images.values()] == [(32, 32, 3)] * 2
    grippers = np.array([frame.action[6] for frame in frames])
    assert (grippers[0], grippers[-1]) == (0, 1)


def test_an_interrupted_recording_leaves_nothing_that_looks_whole(tmp_path):
    with pytest.raises(KeyboardInterrupt), BagWriter(tmp_path / 'bag', 0.05) as writer:
        writer.instruction(bags.START, 'pick up the red cube')
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path, capsys):
    (tmp_path / 'bag').mkdir()
    assert record(tmp_path / 'bag', '--expert', '--episodes', 1) == 2
    assert 'is there already' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--episodes', 0], 'expected at least 1'),
        (['--seed', -3], '--seed is -3'),
        (['--task', 'fly'], 'fly'),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path, capsys, arguments, message):
    assert record(tmp_path / 'bag', '--expert', *arguments) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_leads_nowhere_and_a_folder_like_a_part_stay(tmp_path, capsys):
    (tmp_path / 'link').symlink_to('nowhere')
    (tmp_path / '.bag.part').mkdir()
    (tmp_path / '.bag.part' / 'mine').write_text('mine')
    assert record(tmp_path / 'link', '--expert', '--episodes', 1) == 2
    assert 'is there already' in capsys.readouterr().err
    with BagWriter(tmp_path / 'bag', 0.05) as writer:
        writer.instruction(bags.START, 'pick up the red cube')
    assert (tmp_path / '.bag.part' / 'mine').read_text() == 'mine'


def test_a_signal_keeps_the_episodes_that_are_over(tmp_path, capfd, monkeypatch):
    from vla_accel_ros.replay.demo import episodes

    play, played = episodes.play, []

    def asked(*arguments):
        played.append(1)
        if len(played) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return play(*arguments)

    monkeypatch.setattr(episodes, 'play', asked)
    assert record(tmp_path / 'bag', '--expert', '--episodes', 3) == 130
    assert '1 of 3 episodes were recorded' in capfd.readouterr().err
    assert Bag(tmp_path / 'bag').topics['/vla/instruction'].count == 1
    assert [file.name for file in tmp_path.iterdir()] == ['bag']


def test_a_bag_that_cannot_be_begun_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match='too long'):
        BagWriter(tmp_path / ('a' * 255), 0.05)
    assert list(tmp_path.iterdir()) == []
