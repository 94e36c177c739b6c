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

"""What is measured on a GPU keeps what it found, whatever a part does."""

from dataclasses import replace
from importlib.util import find_spec
import json
import os
from pathlib import Path

import pytest

from benchmarks.gpu import machine, marked, plain_tests, running
from benchmarks.gpu.__main__ import Run, main
from benchmarks.gpu.goals import goals, to_markdown
from benchmarks.gpu.plan import FULL, Part, first_parts, measured_parts

FACTS = {'title': 'a machine', 'date': 'today', 'command': 'gpu.sh'}


def script(text):
    return ('timeit', '-n', '1', '-r', '1', text)


def row(engine, method, decoder, ms, keep=None):
    return {
        'engine': engine,
        'method': method,
        'decoder': decoder,
        'total_ms_p50': ms,
        'keep': keep,
    }


def test_a_part_that_takes_too_long_is_stopped_and_the_next_one_runs(tmp_path):
    said = []
    found = Run(tmp_path, FACTS, 100, say=said.append)
    found.take(Part('long', 1, script('import signal; print("begun"); signal.pause()')))
    found.take(Part('short', 60, script('print("ran")')))
    long, short = found.outcomes
    assert long.remark.startswith('stopped after')
    assert not long.fine
    assert short.fine
    assert 'ran' in short.tail[0]
    kept = json.loads((tmp_path / 'gpu.json').read_text())
    assert [part['name'] for part in kept['parts']] == ['long', 'short']
    assert sorted(os.listdir(tmp_path)) == ['gpu.json', 'gpu.md']


def test_a_part_that_does_not_listen_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(running, 'GRACE_S', 0.1)
    deaf = 'import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.pause()'
    outcome = running.run(Part('deaf', 3, script(deaf)), tmp_path, 3)
    assert outcome.code != 0
    assert outcome.remark.startswith('stopped after')


def test_a_part_that_fails_says_how_and_one_without_time_is_not_begun(tmp_path):
    said = []
    found = Run(tmp_path, FACTS, 20, say=said.append)
    found.take(Part('broken', 20, script('raise SystemExit("no such engine")')))
    found.take(Part('late', 900, script('pass')))
    broken, late = found.outcomes
    assert (broken.code, broken.tail[-1]) == (1, 'SystemExit: no such engine')
    assert any('SystemExit: no such engine' in line for line in said)
    assert late.code is None
    assert late.remark.endswith('s were left')


def test_parts_that_were_not_asked_for_are_left_out(tmp_path):
    found = Run(tmp_path, FACTS, 20, only=('other',), say=lambda line: None)
    found.take(Part('broken', 20, script('raise SystemExit(1)')))
    assert found.outcomes == []


def test_goals_are_held_against_the_fastest_engine():
    rows = {
        'exact': [
            row('eager', 'transformers', 'greedy', 200.0),
            row('eager', 'none', 'greedy', 70.0),
            row('cuda_graph', 'none', 'greedy', 32.0),
            row('cuda_graph', 'none', 'verify', 11.0),
        ]
    }
    rows['compile'] = [row('cuda_graph_compile', 'none', 'greedy', 30.0)]
    assert goals(rows)[0].holds
    del rows['compile']
    rows['arms'] = [{'arms': n, 'way': 'one', 'ms_p95': ms} for n, ms in ((1, 40.0), (8, 52.0))]
    exact, gain, drafted, full, quarter, shared = goals(rows)
    assert (shared.value, shared.holds) == (1.3, True)
    assert (exact.value, exact.by, exact.holds) == (32.0, 'cuda_graph, none', False)
    assert (gain.value, gain.holds) == (200 / 32, True)
    assert (drafted.value, drafted.holds) == (11.0, True)
    assert full.holds is quarter.holds is None
    text = to_markdown(goals(rows))
    assert '| OpenVLA-7B, exact and greedy: ms | ≤ 31 | 32.0 | cuda_graph, none | no |' in text
    assert text.count('not measured') == 2


def test_only_engines_that_work_are_measured(tmp_path):
    parts = measured_parts(FULL, tmp_path, ['eager', 'cuda_graph', 'compile'], plain=True)
    words = {part.name: ' '.join(part.words) for part in parts}
    assert list(words) == ['exact', 'slots', 'pruned', 'arms', 'compile']
    assert '--engines eager,cuda_graph --methods transformers,none ' in words['exact']
    assert '--engines eager,compile' in words['compile']
    with_plans = measured_parts(FULL, tmp_path, ['eager', 'tensorrt'], plain=False)
    assert [part.name for part in with_plans][-1] == 'tensorrt'
    assert not any('tensorrt' in ' '.join(part.words) for part in with_plans[:-1])
    blind = measured_parts(FULL, tmp_path, ['eager'], plain=False, edges=False)
    assert 'fastv,sp_vla@edges=false,specprune' in ' '.join(blind[1].words)
    alone = measured_parts(FULL, tmp_path, ['eager'], plain=False)
    assert [part.name for part in alone] == ['exact', 'slots', 'pruned', 'arms']
    assert all('transformers' not in part.words[-1] for part in alone)
    assert '--only-one' in words['arms'] and '--model openvla-7b' in words['arms']


def test_all_parts_together_fit_into_the_time():
    folder = Path('results')
    parts = [
        *first_parts(FULL, folder),
        *measured_parts(FULL, folder, ['eager', 'cuda_graph'], plain=True),
    ]
    assert sum(part.seconds for part in parts) <= 25 * 60


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(machine, 'NEEDED', {'torch': 'all', 'no_such_package': 'this is left out'})
    assert machine.missing() == {'no_such_package': 'this is left out'}


def test_engines_are_tried_and_those_that_do_not_work_say_why(tmp_path, monkeypatch):
    part = first_parts(
        replace(FULL, device='cpu', engines=('eager', 'cuda_graph', 'x')), tmp_path
    )[0]
    monkeypatch.setattr('sys.argv', list(part.words))
    assert machine.main() == 0
    found = json.loads((tmp_path / 'machine.json').read_text())
    tried = {name: (how['works'], how['why']) for name, how in found['engines'].items()}
    assert tried['eager'] == (True, None)
    assert tried['x'] == (False, 'there is no such engine')
    if found['gpu']['name'] is None:
        assert tried['cuda_graph'] == (False, 'torch sees no NVIDIA GPU on this machine')


def test_marked_tests_are_found():
    names = {file.name for file in marked.files()}
    assert {'test_cuda_graph.py', 'test_recorders.py', 'test_compiled.py'} <= names
    assert 'test_system.py' not in names


def test_without_pytest_marked_tests_run_all_the_same(tmp_path):
    file = tmp_path / 'test_toy.py'
    mark = marked.MARK
    (tmp_path / 'conftest.py').write_text(
        'from pytest import fixture, skip\n'
        '@fixture\n'
        'def one():\n'
        '    return 1\n'
        '@fixture\n'
        'def card():\n'
        "    skip('there is no card')\n"
    )
    file.write_text(
        'import pytest\n'
        '@pytest.fixture(autouse=True)\n'
        'def around():\n'
        '    yield\n'
        '@pytest.fixture\n'
        'def three(one, tmp_path):\n'
        '    yield one + 2\n'
        f'{mark}\n'
        'def test_on_a_card(card):\n'
        '    raise AssertionError\n'
        f'{mark}\n'
        'def test_lost(nowhere):\n'
        '    raise AssertionError\n'
        f'{mark}\n'
        "@pytest.mark.parametrize(('a', 'b'), [(1, 2), (2, 2)])\n"
        'def test_sum(a, b, three, tmp_path):\n'
        '    assert tmp_path.is_dir()\n'
        '    assert a + b == three\n'
        f'{mark}\n'
        'def test_raises():\n'
        "    with pytest.raises(ValueError, match='literal'):\n"
        "        int('x')\n"
        'def test_without_mark():\n'
        '    raise AssertionError\n',
        encoding='utf-8',
    )
    broken = tmp_path / 'test_broken.py'
    broken.write_text('import no_such_module\n', encoding='utf-8')
    found = plain_tests.run([file, broken], tmp_path)
    assert {name: how['outcome'] for name, how in found.items()} == {
        'test_toy.py::test_on_a_card[0]': 'skipped',
        'test_toy.py::test_lost[0]': 'failed',
        'test_toy.py::test_sum[0]': 'passed',
        'test_toy.py::test_sum[1]': 'failed',
        'test_toy.py::test_raises[0]': 'passed',
        str(broken): 'failed',
    }
    assert 'no_such_module' in found[str(broken)]['why']
    assert pytest.raises is not plain_tests._raises


def test_a_rehearsal_measures_and_says_what_it_did(random_checkpoint, tmp_path, capsys):
    words = ['--rehearse', '--only', 'exact', '--out', str(tmp_path)]
    # As an earlier run has left it.
    (tmp_path / 'machine.json').write_text('{"engines": {"eager": {"works": true}}}')
    assert main([*words, '--models', f'{random_checkpoint},{random_checkpoint}']) == 0
    kept = json.loads((tmp_path / 'gpu.json').read_text())
    assert [(part['name'], part['code']) for part in kept['parts']] == [('exact', 0)]
    assert kept['goals'][0]['value'] > 0
    rows = json.loads((tmp_path / 'exact.json').read_text())['rows']
    assert {(one['method'], one['decoder']) for one in rows} == {
        *([('transformers', 'greedy')] if find_spec('transformers') else []),
        ('none', 'greedy'),
        ('none', 'verify'),
        ('none', 'jacobi'),
    }
    assert '## exact' in capsys.readouterr().out


def test_without_a_gpu_only_a_rehearsal_is_run(monkeypatch, capsys):
    monkeypatch.setattr('benchmarks.gpu.__main__.conditions.machine', lambda: {'gpu': None})
    with pytest.raises(SystemExit):
        main([])
    assert 'this machine has no GPU: --rehearse runs on the CPU' in capsys.readouterr().err
