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

from dataclasses import replace
import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import closed_loop, engines, reproduce, reproduce_rows, reproduce_why
from benchmarks.figures import Report, summarise, to_markdown
from benchmarks.intuitive_path import Log, match
from benchmarks.network.condition import Condition
from benchmarks.network.page import page
from benchmarks.run import check_outputs
from benchmarks.stream_jitter import deviations
from vla_accel_ros.acceleration import find
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.evaluation.seeds import purpose
from vla_accel_ros.files.outputs import OutputError

MS = 1_000_000


def frames(*kinds):
    """Frames 50 ms apart; the ROS clock of stamps is a second ahead of the steady one."""
    log = Log()
    for number, kind in enumerate(kinds):
        begun_ns = number * 50 * MS
        stamp_ns = begun_ns + 1000 * MS
        log.sent.append((stamp_ns, begun_ns, begun_ns + MS))
        log.kinds[stamp_ns] = kind
    return log


def twist(log, at_ms, moves=True, on_the_way_ms=1):
    log.twists.append((int(at_ms * MS), int((at_ms - on_the_way_ms + 1000) * MS), moves))


def test_the_first_moving_twist_after_a_frame_is_its_own():
    log = frames('intuitive', 'intuitive', 'intuitive')
    for at_ms, moves in ((1, False), (3, True), (15, True), (40, False), (54, True), (90, False)):
        twist(log, at_ms, moves)
    matched = match(log, 'intuitive')
    assert matched.arrived_ms == pytest.approx([3, 4])
    assert matched.stamped_ms == pytest.approx([2, 3])
    assert (matched.moving, matched.lost) == (0, 0)


def test_a_twist_that_was_on_its_way_when_the_frame_was_stamped_is_an_older_step():
    log = frames('intuitive', 'intuitive')
    twist(log, 0.5)
    twist(log, 4)
    assert match(log, 'intuitive').arrived_ms == pytest.approx([4])


def test_a_frame_that_finds_the_arm_moving_is_left_out_and_one_without_twist_is_lost():
    log = frames('deliberative', 'intuitive', 'intuitive', 'waiting')
    for at_ms, moves in ((45, True), (52, True), (80, False), (110, False)):
        twist(log, at_ms, moves)
    matched = match(log, 'intuitive')
    assert matched.arrived_ms == []
    assert (matched.moving, matched.lost) == (1, 1)


def test_intervals_that_an_action_may_have_ended_are_no_jitter():
    times = [at * MS for at in (0, 20, 41, 60, 61, 81)]
    even, cut = deviations(times, [61 * MS], times)
    assert even == pytest.approx([0, 1, 0])
    assert cut == pytest.approx([1, 19])


def test_a_bar_is_missed_above_it_and_by_nothing_at_all():
    row = summarise('x', 'ms', [1.0, 2.0, 3.0], {'p50': 2.0, 'p99': 2.5})
    assert not row.holds
    assert summarise('x', 'ms', [1.0, 2.0, 3.0], {'p50': 2.0}).holds
    with pytest.raises(ValueError, match='not one sample'):
        summarise('x', 'ms', [], {'p50': 2.0})
    report = Report('name', 'command', (row,), {'rate': '50 Hz'}, {'run': {'lost': 0}})
    assert not report.holds
    text = to_markdown(report.to_dict())
    assert '| x | ms | 3 | 2.00 |' in text
    assert '**missed**' in text
    assert '- run: lost 0' in text


def test_a_machine_kind_is_a_folder_name():
    found = {'processor': 'AMD EPYC(TM) 9 @ 2.4', 'cores': 2, 'gpu': None}
    assert conditions.machine_kind(found) == 'amd-epyc-tm-9-2-4-2-cores'


def test_shares_of_the_processors_add_up_to_at_most_all():
    meter = conditions.CpuMeter()
    while (shares := meter.shares())['benchmark'] == 0:
        # Until the system's clock ticks while this is what runs.
        pass
    assert 0 < sum(shares.values()) <= 1.1


def test_results_are_written_for_programs_and_for_people(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            '-m',
            'benchmarks.run',
            '--only',
            'ridge_step,camera_latency',
            '--seconds',
            '1',
            '--out',
            str(tmp_path),
            '--remark',
            'a test',
        ],
        cwd=conditions.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found = json.loads((tmp_path / 'nodes.json').read_text(encoding='utf-8'))
    assert [report['name'] for report in found['reports']] == ['ridge_step', 'camera_latency']
    assert done.returncode == (0 if all(report['holds'] for report in found['reports']) else 1)
    assert all(row['count'] > 0 for report in found['reports'] for row in report['rows'])
    assert 'a test' in (tmp_path / 'nodes.md').read_text(encoding='utf-8')


def test_engines_of_a_model_are_measured_anew_while_other_models_stay(tmp_path):
    words = [sys.executable, '-m', 'benchmarks.engines', '--out', str(tmp_path)]
    words += ['--models', 'tabletop-s', '--engines', 'eager', '--methods', 'none,random']
    subprocess.run([*words, '--rounds', '1'], check=True, cwd=conditions.ROOT)
    file, page = tmp_path / 'engines.json', tmp_path / 'engines.md'
    found = json.loads(file.read_text(encoding='utf-8'))
    report = found['models']['tabletop-s']
    assert {row['method'] for row in report['rows']} == {'none', 'random@keep=0.25'}
    text = page.read_text(encoding='utf-8')
    assert '| eager | random@keep=0.25 | greedy |' in text and 'a drop pays' in text
    assert report['command'] in text
    both = {'mid': {**report, 'date': 'long ago'}, **found['models']}
    assert list(engines.in_order(both)) == ['tabletop-s', 'mid']
    assert 'long ago' in engines.to_markdown(engines.in_order(both))
    page.write_text('mine')
    done = subprocess.run(words, check=False, cwd=conditions.ROOT, capture_output=True)
    assert done.returncode == 2 and page.read_text() == 'mine'


def test_results_of_others_are_not_overwritten(tmp_path):
    (tmp_path / 'nodes.json').write_text('{}')
    with pytest.raises(OutputError, match='a file that is there already'):
        check_outputs(tmp_path)


def row(method, **values):
    unknown = (
        'difference_ci',
        'gain_ci',
        'steps_per_success',
        'calls_per_step',
        'tokens_kept',
        'passes_per_call',
        'call_ms_p50',
        'model_ms_per_success',
        'gflops_per_success',
        'path_per_success',
        'jerk_p95',
        'seam_p95',
        'flow_steps_per_call',
    )
    return {
        'method': method,
        'successes': 0,
        'episodes': 4,
        'success_ci': [0, 0.49],
        **dict.fromkeys(unknown),
        **values,
    }


def test_the_closed_loops_table_has_a_dash_for_what_has_no_value():
    fast = row(
        'fast',
        successes=4,
        success_ci=[0.51, 1],
        difference=0.0,
        gain=2.5,
        difference_ci=[-0.1, 0.1],
        gain_ci=[2.4, 2.6],
        model_ms_per_success=201.4,
    )
    lines = closed_loop.table({'methods': [row('none'), fast]}).splitlines()
    assert lines[2] == '| none | 0/4 | 0.0 – 49.0 |' + ' - |' * 13
    assert lines[3].startswith('| fast | 4/4 | 51.0 – 100.0 | +0.0 (-10.0 – +10.0) | - |')
    assert '| 201 | 2.50x less (2.40 – 2.60) |' in lines[3]


@pytest.mark.parametrize('run', closed_loop.RUNS.values(), ids=list(closed_loop.RUNS))
def test_the_closed_loop_holds_methods_against_none_on_held_out_seeds(run):
    assert find(run.methods)[0].name == 'none'
    assert purpose(run.seed) == purpose(run.seed + run.episodes - 1) == 'reporting'


def test_a_row_is_run_where_all_is_there_and_named_where_not(random_checkpoint, tmp_path, capfd):
    row = reproduce_rows.Row(
        'tiny',
        f'lab/{random_checkpoint.name}',
        'hold',
        'nobody',
        success=(0.0,),
        env='tabletop',
        suites=('lift',),
        words=('--task', 'lift', '--max-steps', '5', '--engine', 'eager'),
    )
    other = replace(row, name='absent', checkpoint='lab/absent', success=(50.0,))
    words = ['--checkpoints', str(random_checkpoint.parent), '--out', str(tmp_path)]
    words += ['--device', 'cpu', '--episodes', '2']
    assert reproduce.main([*words, '--only', 'tiny'], [row, other]) == 0
    assert '| tiny | lift | 0 | 0.0 (0.0 to 65.8) |' in (said := capfd.readouterr().out)
    assert said.rstrip().endswith('| as published |')
    assert reproduce.main([*words, '--only', 'absent'], [row, other]) == 1
    said = capfd.readouterr().out
    assert '| absent | lift | 50 |  |  | missing |' in said
    assert 'hf download lab/absent --local-dir' in said


def test_published_rows_name_methods_that_there_are_and_the_page_shows_them():
    page = (conditions.ROOT / 'docs/reproduce.md').read_text(encoding='utf-8')
    for row in reproduce_rows.ROWS:
        assert find(row.method)
        assert f'| `{row.name}` | `{row.method}` |' in page
    why = reproduce_why.table(reproduce_why.BYTES_S, reproduce_why.FLOPS)
    assert why in page


def test_the_statistics_of_a_suite_are_found_by_its_name(tmp_path):
    file = tmp_path / 'dataset_statistics.json'
    file.write_text('{"libero_goal_no_noops": {}, "libero_10_no_noops": {}}')
    assert reproduce.unnorm_key(tmp_path, '10') == 'libero_10_no_noops'
    file.write_text('{"libero_goal": {}}')
    assert reproduce.unnorm_key(tmp_path, 'goal') is None


def test_a_link_is_cut_once_or_again_and_again_and_never_between_episodes():
    once, often = Condition(cut_s=5.0), Condition(20, cut_s=0.2, every_s=2.0)
    times = np.arange(0.0, 10.0, 0.1) + 0.05
    assert [round(t, 2) for t in times if once.is_cut(t)] == pytest.approx(times[20:70])
    assert [t for t in times if often.is_cut(t)] == pytest.approx(
        [2.05, 2.15, 4.05, 4.15, 6.05, 6.15, 8.05, 8.15]
    )
    assert often.link(0.0) == {'delay_s': 0.02, 'jitter_s': 0.0, 'loss': 0.0, 'cut': False}
    assert not any(Condition(20).is_cut(t) for t in times)


def test_the_page_of_a_link_counts_late_successes_apart_and_shows_where_none_was():
    def link(*episodes, answers):
        rows = [{'success': won, 'seconds': took} for won, took in episodes]
        return {
            'episodes': rows,
            'answer_ms': answers,
            **{'carried': 90, 'lost': 10, 'bytes': 5000, 'others': 0.5},
        }

    found = {
        'kind': 'command',
        'settings': {'checkpoint': 'tabletop-s', 'seed': 1, 'limit_s': 30.0},
        'machine': {'processor': 'some', 'cores': 2},
        'links': {
            'good': link((True, 5.0), (True, 20.0), answers=[10.0, 20.0]),
            'bad': link((False, 30.0), answers=[]),
        },
    }
    good, bad = page(found).splitlines()[-2:]
    assert good.startswith('| good | 2 of 2 | 34 to 100 % | 1 | 12.5 | 15 / 20 | 2 | 10.0 % |')
    assert bad.startswith('| bad | 0 of 1 | 0 to 79 % | 0 | - | - |')
