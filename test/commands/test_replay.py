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

"""`vla-accel replay` from the command line to the files that it leaves."""

from functools import partial
import json
from pathlib import Path

import bags
from joint_robots import ALOHA
import numpy as np
import pytest

from vla_accel_ros.replay import progress
from vla_accel_ros.replay.measures import quantities

NS, START = bags.NS, bags.START
METHODS = 'none,sp_vla@v_min=0,none@keep=0.5'
# What differs from run to run: it is measured.
TIMED = ('model_ms', 'call_ms_p50', 'call_ms_p95', 'call_ms_p99', 'effective_hz')


def episodes(count=3, frames=12, size=32):
    texts = ('pick up the red cube', 'pick up the blue cube')
    return [
        line
        for k in range(count)
        for line in bags.recording(frames, size, texts[k % 2], START + 10 * k * NS, first=1000 * k)
    ]


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return bags.write(tmp_path_factory.mktemp('recorded') / 'bag', episodes())


@pytest.fixture
def replay(replay):
    """Replay with several methods where none are given."""
    return partial(replay, methods=METHODS)


def results(tmp_path, out='out'):
    return json.loads((tmp_path / out / 'results.json').read_text())


def untimed(found):
    """Return the figures that do not depend on the machine's mood."""
    methods = [
        {**m, 'values': {k: v for k, v in m['values'].items() if k not in TIMED}}
        for m in found['methods']
    ]
    return methods, found['episodes'], found['bag'], found['steps'], found['frames']


def test_every_frame_of_every_episode_goes_through_every_method(replay, bag, tmp_path, capsys):
    assert replay(bag) == 0
    found = results(tmp_path)
    assert found['complete'] and found['sound'] and found['remarks'] == []
    assert (found['frames'], found['steps']) == (36, 36)
    assert [(e['instruction'], e['steps'], e['begins']) for e in found['episodes']] == [
        ('pick up the red cube', 12, 'first'),
        ('pick up the blue cube', 12, 'paused'),
        ('pick up the red cube', 12, 'paused'),
    ]
    by_name = {m['name']: m for m in found['methods']}
    assert list(by_name) == METHODS.split(',')
    none, half = by_name['none']['values'], by_name['none@keep=0.5']['values']
    assert none['calls']['value'] == 1 and none['tokens_kept']['value'] == 100
    assert half['tokens_kept']['value'] == pytest.approx(50, abs=5)
    assert half['gflops']['value'] < none['gflops']['value']
    assert by_name['sp_vla@v_min=0']['values']['calls']['value'] < 1
    assert none['recorded_translation_mm']['low'] is not None
    assert 'reference_translation_mm' not in none
    keys = {m['key'] for m in found['measures']}
    assert all(set(m['values']) <= keys for m in found['methods'])
    assert (tmp_path / 'out' / 'report.html').stat().st_size > 1_000_000
    said = capsys.readouterr().out
    assert 'camera 1     /wrist/image_raw' in said and 'sp_vla@v_min=0' in said


def test_the_page_of_the_docs_names_every_entry_of_the_results(replay, bag, tmp_path):
    assert replay(bag, methods='none') == 0
    page = (Path(__file__).parents[2] / 'docs' / 'replay.md').read_text(encoding='utf-8')
    assert not [name for name in results(tmp_path) if f'`{name}`' not in page]
    keys = [m['key'] for m in results(tmp_path)['measures']]
    keys += [q.measure.key for q in quantities(ALOHA)]
    assert not [key for key in keys if f'`{_documented(key)}`' not in page]


def _documented(key):
    """Return the form in which the page lists a key beside others of its kind."""
    head, _, tail = key.partition('_')
    if tail.endswith('_p95') and 'speed' in key:
        return key
    if tail.endswith(('_p95', '_max')) and 'drift' not in tail:
        return f'…_{tail[-3:]}'
    if 'drift_5s' in key:
        return '…_drift_5s_mm' if 'mm' in tail else '…_drift_5s_rad'
    if head == 'share' and tail != 'intuitive':
        return f'…_{tail}'
    if key in ('call_ms_p95', 'call_ms_p99'):
        return f'…_{key[-3:]}'
    return key.replace('recorded_', 'reference_').removesuffix('_p95')


def test_the_same_bag_gives_the_same_figures(replay, bag, tmp_path):
    assert replay(bag, out='one') == replay(bag, out='other') == 0
    assert untimed(results(tmp_path, 'one')) == untimed(results(tmp_path, 'other'))


def stop_after(monkeypatch, frames):
    asked = iter(range(10_000))
    monkeypatch.setattr(
        progress.Interrupt, '__call__', lambda self: self.asked or next(asked) >= frames
    )


def test_an_interrupted_run_reports_what_was_done_and_is_gone_on_with(
    replay, bag, tmp_path, monkeypatch, capsys
):
    assert replay(bag, out='whole') == 0
    with monkeypatch.context() as context:
        stop_after(context, 20)
        assert replay(bag) == 130
    part = results(tmp_path)
    assert not part['complete'] and part['remarks'][0].startswith('Interrupted: ')
    assert 12 < part['steps'] < 36 and not part['episodes'][-1]['complete']
    assert (tmp_path / 'out' / 'report.html').exists()
    assert '--resume goes on' in capsys.readouterr().err
    assert replay(bag, '--resume') == 0
    assert untimed(results(tmp_path)) == untimed(results(tmp_path, 'whole'))


def test_a_run_that_was_ended_before_its_first_frame_leaves_nothing(
    replay, bag, tmp_path, monkeypatch
):
    stop_after(monkeypatch, 0)
    assert replay(bag) == 130
    assert not (tmp_path / 'out').exists()


def test_another_run_is_neither_overwritten_nor_mixed_with(replay, bag, tmp_path, capsys):
    assert replay(bag) == 0
    before = (tmp_path / 'out' / 'results.json').read_bytes()
    assert replay(bag) == 2
    assert 'holds a run already' in capsys.readouterr().err
    assert replay(bag, '--resume', methods='none') == 2
    assert 'differs: methods.none@keep=0.5 is left out' in capsys.readouterr().err
    assert (tmp_path / 'out' / 'results.json').read_bytes() == before
    assert replay(bag, '--overwrite', methods='none') == 0
    assert len(results(tmp_path)['methods']) == 1


def test_with_a_latency_answers_come_late_and_the_reference_stands_apart(replay, bag, tmp_path):
    clock = ['--clock', 'real', '--latency-ms', 120]
    assert replay(bag, *clock, methods='none,none@bridge=hold') == 0
    found = results(tmp_path)
    assert found['clock'] == 'an answer is there after 120 ms'
    assert [m['name'] for m in found['methods']] == ['reference', 'none', 'none@bridge=hold']
    late, bridged = found['methods'][1], found['methods'][2]
    assert late['decisions']['waiting'] > 0.5
    assert bridged['decisions']['bridged'] > 0.3
    assert late['values']['reference_drift_1s_mm'] is None


def test_a_faster_camera_than_the_policy_has_steps_for_some_frames_only(replay, tmp_path):
    lines = bags.recording(4)
    for k in range(20):
        lines += [
            bags.image(topic, START + NS + k * bags.STEP // 2, bags.picture(k))
            for topic in ('/image_raw', '/wrist/image_raw')
        ]
    assert replay(bags.write(tmp_path / 'bag', lines), methods='none') == 0
    found = results(tmp_path)
    assert found['frames'] == 24 and found['steps'] == 14


def test_without_actions_only_the_unaccelerated_policy_is_compared_with(replay, bag, tmp_path):
    assert replay(bag, '--action-topic', 'none', methods='none,none@keep=0.5') == 0
    values = results(tmp_path)['methods'][1]['values']
    assert values['recorded_translation_mm'] is None
    assert values['reference_translation_mm'] is not None


def test_a_damaged_bag_is_reported_with_its_losses_and_fails(replay, tmp_path, capsys):
    path = bags.write(tmp_path / 'bag', episodes(4, 20, 128))
    file = bags.storage_file(path)
    with open(file, 'r+b') as stream:
        stream.truncate(file.stat().st_size // 2)
    assert replay(path, methods='none') == 1
    found = results(tmp_path)
    assert found['complete'] and not found['sound'] and 0 < found['steps'] < 80
    assert 0 < found['bag']['lost_bytes'] < found['bag']['bytes']
    said = capsys.readouterr().err
    assert 'The bag is damaged' in said and 'of 80 messages on /image_raw are lost' in said


def test_stamps_that_jump_back_begin_an_episode_and_fail(replay, tmp_path):
    lines = bags.recording(6) + bags.recording(6, start=START - 100 * NS)
    for k, line in enumerate(lines):
        line.log_ns = START + k * NS // 1000
    assert replay(bags.write(tmp_path / 'bag', lines), methods='none') == 1
    found = results(tmp_path)
    assert [e['begins'] for e in found['episodes']] == ['first', 'jumped_back']
    assert 'jumped_back' in found['remarks'][0]
    for number in range(2):
        with np.load(tmp_path / 'out' / 'episodes' / f'{number:06d}.npz') as episode:
            # The last step's action comes when the clock has jumped already.
            assert np.isfinite(episode['recorded'][:5]).all()


def test_episodes_whose_words_the_policy_does_not_know_are_left_out(replay, tmp_path, capsys):
    lines = bags.recording(6) + bags.recording(6, text='fly to the moon', start=START + 9 * NS)
    assert replay(bags.write(tmp_path / 'bag', lines), methods='none') == 1
    found = results(tmp_path)
    assert found['steps'] == 6 and not found['sound']
    assert found['bag']['faults']['unknown_instruction']['count'] == 6
    assert 'fly' in capsys.readouterr().err


BAD = {
    'no such bag': (None, [], 'does not exist'),
    'one camera': ('bag', ['--image-topic', '/image_raw'], '2 cameras wanted, found 1'),
    'three cameras': (
        'bag',
        [
            '--image-topic',
            '/image_raw',
            '--image-topic',
            '/image_raw',
            '--image-topic',
            '/wrist/image_raw',
        ],
        '2 cameras wanted, found 3',
    ),
    'a topic that is not there': (
        'bag',
        ['--action-topic', '/twist'],
        '--action-topic /twist is not in the bag; topics of',
    ),
    'unknown words': ('bag', ['--instruction', 'fly to the moon'], 'fly'),
    'a latency that is none': (
        'bag',
        ['--clock', 'real', '--latency-ms', 'soon'],
        "--latency-ms is 'soon'",
    ),
    'a latency on the step clock': (
        'bag',
        ['--latency-ms', '20'],
        '--latency-ms is for --clock real',
    ),
    'a step that is none': ('bag', ['--policy-step', '7'], '--policy-step is 7.0'),
    'a tolerance that is none': (
        'bag',
        ['--pair-tolerance', 'nan'],
        '--pair-tolerance is nan, expected 0 to 1 s',
    ),
    'a negative tolerance': ('bag', ['--pair-tolerance', '-1'], '--pair-tolerance is -1.0'),
    'a gripper that is no number': (
        'bag',
        ['--gripper-open', 'nan'],
        '--gripper-open is nan, expected a number',
    ),
    'a gripper without an end': ('bag', ['--gripper-closed', 'inf'], '--gripper-closed is inf'),
    'an unknown method': ('bag', ['--methods', 'warp'], "method 'warp'"),
}


@pytest.mark.parametrize('name', BAD)
def test_what_will_not_do_is_said_and_nothing_is_left_behind(name, replay, bag, tmp_path, capsys):
    which, arguments, message = BAD[name]
    assert replay(bag if which else tmp_path / 'nowhere', *arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_a_bag_without_a_usable_frame_leaves_nothing_behind(replay, tmp_path, capsys):
    lines = bags.recording(4)
    for line in lines:
        if line.kind == bags.IMAGE:
            line.message.encoding = '16UC1'
    assert replay(bags.write(tmp_path / 'bag', lines)) == 2
    assert "encoding is '16UC1', expected one of rgb8" in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_json_is_all_that_is_printed_where_it_is_asked_for(replay, bag, tmp_path, capsys):
    assert replay(bag, '--json', methods='none') == 0
    assert json.loads(capsys.readouterr().out) == results(tmp_path)


def test_twists_and_gripper_say_the_same_as_the_actions_that_they_were_made_of(replay, tmp_path):
    lines = bags.recording(12)
    for k in range(12):
        values, ns = np.array(bags.action(k)), START + k * bags.STEP
        lines += [
            bags.twist('/twist', ns, values[:6] / 0.05),
            bags.number('/gripper', ns, values[6]),
        ]
    path = bags.write(tmp_path / 'bag', lines)
    assert replay(path, out='actions', methods='none') == 0
    assert replay(path, '--action-topic', '/twist', out='twists', methods='none') == 0
    one, other = (results(tmp_path, out)['methods'][0]['values'] for out in ('actions', 'twists'))
    for key, value in one.items():
        if key.startswith('recorded_') and value is not None:
            assert other[key]['value'] == pytest.approx(value['value'], abs=1e-6), key


@pytest.mark.parametrize('name', ['tabletop-flow', 'tabletop-dit'])
def test_policies_that_denoise_chunks_are_replayed(replay, tmp_path, name):
    bag = bags.write(tmp_path / 'bag', episodes(1, frames=20))
    assert replay(bag, '--checkpoint', name, methods='none,flow_fast,fastv@keep=0.5') == 0
    by_name = {m['name']: m['values'] for m in results(tmp_path)['methods']}
    calls = {name: values['calls']['value'] for name, values in by_name.items()}
    # A chunk has 16 rows, and `flow_fast` asks anew after 8.
    assert calls['none'] == calls['fastv@keep=0.5'] == 2 / 20 and calls['flow_fast'] == 3 / 20
    assert by_name['fastv@keep=0.5']['tokens_kept']['value'] == 50
