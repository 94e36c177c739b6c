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

from itertools import product
import json
from pathlib import Path

import pytest

from vla_accel_ros import cli
from vla_accel_ros.bench.plot import ENDINGS, draw
from vla_accel_ros.bench.table import to_text
from vla_accel_ros.commands import bench as command
from vla_accel_ros.files.own_outputs import of_plot
from vla_accel_ros.models.stopwatch import STAGES

QUICK = ('--rounds', '2', '--warm-up', '1', '--threads', '1', '--keep', '0.5')
ENTRIES = {
    'kind',
    'format',
    'date',
    'command',
    'versions',
    'machine',
    'device',
    'dtype',
    'threads',
    'attention',
    'processors',
    'model',
    'floor',
    'rounds',
    'warm_up',
    'seed',
    'engines',
    'rows',
    'bars',
    'planner',
    'notes',
    'left_out',
    'answers_hold',
    'complete',
}


def bench(folder, *arguments):
    return cli.main(['bench', '--model', str(folder), *QUICK, *arguments])


def test_json_has_every_row_with_every_stage(random_checkpoint, capsys):
    code = bench(
        random_checkpoint,
        '--json',
        '--methods',
        'transformers,none,fastv',
        '--decoders',
        'greedy,verify',
    )
    report = json.loads(capsys.readouterr().out)
    assert code == 0 and set(report) == ENTRIES
    assert [row['name'] for row in report['rows']] == [
        'transformers',
        'none',
        'verify',
        'fastv@keep=0.5',
        'fastv+verify@keep=0.5',
    ]
    for row in report['rows']:
        assert set(row['stages_ms']) == set(STAGES) and row['engine'] == 'eager'
        assert 0 < row['total_ms_p50'] <= row['total_ms_p95'] <= row['total_ms_p99']
        for found in row['stages_ms'].values():
            assert 0 <= found['p50'] <= found['p95'] <= found['p99']
        assert set(row['floor_ms']) <= {*STAGES, 'total'} and row['floor_ms']['total'] > 0
        assert row['rounds'] == 2
    asked = [(row['method'], row['decoder']) for row in report['rows']]
    assert asked[1:] == list(product(('none', 'fastv@keep=0.5'), ('greedy', 'verify')))
    by_name = {row['name']: row for row in report['rows']}
    assert by_name['transformers']['same'] == 2
    assert by_name['fastv@keep=0.5']['kept'] == 4
    assert by_name['fastv@keep=0.5']['parameters'] == {'keep': 0.5}
    assert report['floor']['copy_gb_s'] > 0 and report['floor']['matrix_gflop_s'] > 0
    (plan,) = report['planner']
    assert (plan['engine'], plan['method'], plan['layer']) == ('eager', 'fastv@keep=0.5', 1)
    assert 0 <= plan['pays_up_to_by_rates'] <= 8
    assert 0 <= plan['pays_up_to'] <= 8 and plan['full_ms'] > 0 and plan['choice_ms'] > 0
    assert report['model']['weights'] == 'trained' and report['complete']
    assert report['left_out'] == {} and 'sha256' in report['model']['fingerprint']
    assert report['versions']['torch'] and report['machine']['cores'] >= 1


def test_an_engine_that_cannot_run_costs_the_others_nothing_but_the_exit_status(
    random_checkpoint, tmp_path, capsys
):
    out = tmp_path / 'bench.json'
    words = ('--engines', 'eager,cuda_graph', '--methods', 'none')
    assert bench(random_checkpoint, *words, '--out', str(out)) == 1
    report = json.loads(out.read_text())
    (name,) = report['left_out']
    assert name == 'cuda_graph'
    assert 'GPU' in report['left_out'][name]
    assert {row['engine'] for row in report['rows']} == {'eager'}
    assert [each['engine'] for each in report['engines']] == ['eager']
    assert f'bench: {name} is left out: ' in capsys.readouterr().err
    assert f'Left out: {name}: ' in out.with_suffix('.md').read_text()


def test_tables_are_printed_and_files_written(random_checkpoint, tmp_path, capsys):
    out, plot = tmp_path / 'new' / 'bench.json', tmp_path / 'bench.svg'
    code = bench(
        random_checkpoint,
        '--methods',
        'none,random',
        '--decoders',
        'greedy',
        '--out',
        str(out),
        '--plot',
        str(plot),
    )
    text = capsys.readouterr().out
    assert code == 0
    for word in (
        'random@keep=0.5',
        'Planner: ',
        'pays up to',
        'Stages, ms: p50 / p95 / p99 (floor)',
        'GB/s',
        'Bars',
    ):
        assert word in text
    report = json.loads(out.read_text(encoding='utf-8'))
    table = out.with_suffix('.md').read_text(encoding='utf-8')
    assert report['date'] in table and report['command'] in table
    assert f'torch {report["versions"]["torch"]}' in table
    assert table.count('| eager | random@keep=0.5 | greedy |') == 2
    assert b'<svg' in plot.read_bytes()


def test_missed_bars_fail_only_where_they_are_asked_for(random_checkpoint, capsys):
    arguments = ('--methods', 'none', '--decoders', 'greedy')
    assert bench(random_checkpoint, *arguments) == 0
    assert bench(random_checkpoint, '--bars', *arguments) == 1
    assert 'not measured' in capsys.readouterr().out


def test_an_answer_that_is_not_the_plain_ones_fails(random_checkpoint, capsys, monkeypatch):
    from vla_accel_ros.bench.plain import PlainPolicy

    generate = PlainPolicy._generate

    def wrong(self, *arguments):
        tokens, peaks = generate(self, *arguments)
        return tokens - 1, peaks

    monkeypatch.setattr(PlainPolicy, '_generate', wrong)
    arguments = ('--methods', 'transformers,none', '--decoders', 'greedy')
    assert bench(random_checkpoint, *arguments) == 1
    assert 'did not answer as it must' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'named'),
    [
        (('--methods', 'none,prune'), 'prune'),
        (('--keep', '0'), "keep is '0'"),
        (('--decoders', 'beam'), 'beam'),
        (('--rounds', '0'), '0 rounds'),
        (('--threads', '0'), '0 threads'),
        (('--engines', ''), 'no engine is given'),
        (('--engines', 'steam'), "engine 'steam' is not there"),
        (('--engines', 'auto'), 'engine is auto, which takes one of the others'),
        (('--engines', 'openvino@speed=2'), "'speed=2' is no setting"),
        (('--engines', 'openvino@precision=int3'), "engine_precision is 'int3'"),
        (('--engines', 'eager@precision=float16'), 'cannot run here: eager computes in'),
        (('--engines', 'openvino@device=cuda'), "engine_device is 'cuda', expected auto or one"),
        (('--engines', 'onnxruntime@device=cuda'), 'cannot run here: onnxruntime has no provider'),
        (('--engines', 'onnxruntime', '--methods', 'transformers'), 'beside eager'),
        (('--engines', 'eager,eager'), "engine 'eager' comes twice"),
        (('--model', 'openvla-8b'), 'openvla-8b'),
        (('--methods', 'fastv@layer=9'), 'layer is 9'),
        (('--methods', 'fastv:layer=9'), 'expected name@key=value'),
    ],
)
def test_what_cannot_be_run_is_one_line_and_2(random_checkpoint, arguments, named, capsys):
    assert bench(random_checkpoint, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == '' and named in err.splitlines()[-1]


def test_without_transformers_there_is_no_plain_line_unless_it_is_asked_for(
    random_checkpoint, monkeypatch, capsys
):
    monkeypatch.setattr(command, 'find_spec', lambda name: None)
    assert bench(random_checkpoint, '--rounds', '0') == 2
    assert 'transformers is not installed' in capsys.readouterr().err
    assert bench(random_checkpoint, '--rounds', '0', '--methods', 'transformers,none') == 2
    assert 'transformers is not installed' not in capsys.readouterr().err


def test_an_interrupted_run_says_what_it_has(random_checkpoint, monkeypatch, capsys):
    def interrupt(self, done):
        if done == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(command.Progress, 'round', interrupt)
    code = bench(random_checkpoint, '--json', '--methods', 'none', '--decoders', 'greedy')
    report = json.loads(capsys.readouterr().out)
    assert code == 130 and not report['complete'] and report['rounds'] == 1


def test_an_interrupted_warm_up_has_nothing_to_say(random_checkpoint, monkeypatch, capsys):
    def interrupt(self, done):
        raise KeyboardInterrupt

    monkeypatch.setattr(command.Progress, 'round', interrupt)
    code = bench(random_checkpoint, '--methods', 'none', '--decoders', 'greedy')
    out, err = capsys.readouterr()
    assert code == 130 and out == '' and 'before the first round' in err


def test_time_left_is_told_on_a_terminal_only(monkeypatch, capsys):
    progress = command.Progress(3)
    progress.round(1)
    assert capsys.readouterr().err == ''
    monkeypatch.setattr(command.sys.stderr, 'isatty', lambda: True, raising=False)
    progress = command.Progress(3)
    for done in (1, 2):
        progress.round(done)
    text = capsys.readouterr().err
    assert 'round 1/3' in text and 's left' in text


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['--out', 'b.md'], 'such as b.json: the table goes to b.md'),
        (['--out', 'folder'], 'is the folder folder'),
        (['--out', 'mine.json'], 'did not make'),
        (['--out', 'mine.json/x.json'], 'is no folder'),
        (['--out', 'notes.json'], 'notes.md'),
        (['--plot', 'x.xyz'], 'ends in .png, .svg, .pdf'),
        (['--plot', 'mine.png'], 'did not make'),
    ],
)
def test_outputs_are_checked_before_anything_is_measured(
    tmp_path, capsys, monkeypatch, words, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'folder').mkdir()
    for name in ('mine.json', 'mine.png', 'notes.md'):
        (tmp_path / name).write_text('mine')
    assert cli.main(['bench', *words]) == 2
    assert said in capsys.readouterr().err
    assert {f.name for f in tmp_path.iterdir()} == {'folder', 'mine.json', 'mine.png', 'notes.md'}


def test_names_that_differ_behind_a_dot_have_tables_of_their_own():
    names = map(Path, ('a.json', 'keep_0.5', 'keep_0.25'))
    assert [str(command.table_beside(name)) for name in names] == [
        'a.md',
        'keep_0.5.md',
        'keep_0.25.md',
    ]


def test_its_own_files_are_replaced_and_no_bar_is_missed_that_was_not_asked_for(
    random_checkpoint, tmp_path, capsys
):
    out = tmp_path / 'b.json'
    words = [
        '--methods',
        'none',
        '--decoders',
        'greedy',
        '--rounds',
        '1',
        '--out',
        str(out),
        '--plot',
        str(tmp_path / 'b.png'),
    ]
    assert bench(random_checkpoint, *words) == bench(random_checkpoint, *words) == 0
    assert 'MISSED' not in capsys.readouterr().out + (tmp_path / 'b.md').read_text()
    report = json.loads(out.read_text())
    assert 'MISSED' in to_text(report, held=True)
    for ending in ENDINGS:
        draw(report, tmp_path / f'again{ending}')
        assert of_plot(tmp_path / f'again{ending}')


@pytest.mark.parametrize('name', ['tabletop-flow', 'tabletop-dit'])
def test_models_that_denoise_have_rows_like_others(name, capsys):
    assert bench(name, '--json', '--methods', 'none,fastv') == 0
    plain, pruned = json.loads(capsys.readouterr().out)['rows']
    assert pruned['kept'] == 36
    for row in (plain, pruned):
        assert row['stages_ms']['decode']['p50'] > 0 and row['stages_ms']['prefill']['p50'] > 0
