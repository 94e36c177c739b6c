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

"""What is said of today's engines beside the eager engine of an earlier commit."""

import pytest

from benchmarks import engine_bars
from benchmarks.engine_bars import BF16, NONE, QUARTER, faster, to_markdown

MACHINE = {'processor': 'a processor', 'cores': 2}


def row(engine, method, total, decode):
    return {
        'engine': engine,
        'method': method,
        'total_ms_p50': total,
        'stages_ms': {'decode': {'p50': decode}},
    }


def turn(before, **rows):
    told = [row(*key, *ms) for key, ms in rows.pop('rows').items()]
    return {'before': {'total': before, 'decode': before / 2}, 'rows': told, 'others': 0.01}


def found(*turns, model='tabletop-s'):
    return {
        'before': 'abc',
        'machine': MACHINE,
        'date': 'today',
        'turns': {model: list(turns), 'mid': []},
    }


def test_a_ratio_is_of_one_turn_and_the_fastest_engine_counts():
    slow = {('onnxruntime', NONE): (10.0, 2.0), ('openvino', NONE): (8.0, 4.0)}
    fast = {('onnxruntime', NONE): (5.0, 1.0), ('openvino', NONE): (4.0, 2.0)}
    turns = [turn(20.0, rows=slow), turn(10.0, rows=fast)]
    (decoding,) = (bar for bar in engine_bars.BARS if bar.stage == 'decode')
    exact = decoding._replace(stage='total')
    assert faster(turns, exact) == {'onnxruntime': [2.0, 2.0], 'openvino': [2.5, 2.5]}
    assert faster(turns, decoding)['onnxruntime'] == [5.0, 5.0]
    page = to_markdown(found(*turns))
    assert (
        '| tabletop-s | none, whole call | openvino | ≥ 1.9x | 2.50x | 2.50 to 2.50 | yes |'
        in page
    )
    assert '| none, decoding alone | onnxruntime | ≥ 3.2x | 5.00x |' in page
    assert '| tabletop-s | none, whole call | eager | ≥ 1.08x | not measured |  | **no** |' in page
    assert '2 of 5 bars hold. today; others used at most 1% of the processors' in page


@pytest.mark.parametrize(('ms', 'word'), [(9.0, 'yes'), (11.0, '**no**')])
def test_a_bar_that_is_missed_is_said(ms, word):
    rows = {(BF16, NONE): (ms, 1.0), (BF16, QUARTER): (1.0, 1.0)}
    page = to_markdown(found(turn(20.0, rows=rows)))
    assert f'| ≥ 2.1x | {20 / ms:.2f}x | {20 / ms:.2f} to {20 / ms:.2f} | {word} |' in page


def test_every_model_has_its_bars_and_unknown_ones_are_refused(capsys):
    assert {bar.model for bar in engine_bars.BARS} == set(engine_bars.ROUNDS)
    with pytest.raises(SystemExit):
        engine_bars.main(['--models', 'large'])
    assert "--models has ['large'], expected some of" in capsys.readouterr().err


def test_a_report_of_the_earlier_format_is_read_too():
    ms = {'total': {'p50': 9.0}, 'decode': {'p50': 2.0}}
    old = {'lines': [{'method': NONE, 'ms': ms}]}
    assert engine_bars._ms(old) == {('eager', NONE): {'total': 9.0, 'decode': 2.0}}
