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

import numpy as np
import pytest

from vla_accel_ros.bench.bars import bars, drop_layer
from vla_accel_ros.bench.cases import cases, on_engine
from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.bench.floor import Floor
from vla_accel_ros.bench.report import answers_hold
from vla_accel_ros.bench.summary import Percentiles, row
from vla_accel_ros.engines.device import Rates
from vla_accel_ros.models.cost.workload import Workload, one_by_one
from vla_accel_ros.models.stopwatch import STAGES

ZEROS = dict.fromkeys((*STAGES, 'total'), 0.0)


def sample(seen=(64,) * 4, passes=7, tokens=(1, 2), **ms):
    times = {**ZEROS, **ms}
    times['total'] = ms.get('total', sum(ms.values()))
    work = Workload(24, seen, seen[0], passes=one_by_one(passes))
    return Sample(times, work, passes, 0, 'pruned', np.array(tokens), np.zeros((1, 7)))


@pytest.fixture
def floor(subject):
    return Floor(subject.model.config, Rates(1e9, 1e9, 1), 4)


def rows_of(methods, decoders, floor, **of_case):
    """Sum up cases whose samples are given by name, with underscores for what is no letter."""
    groups = cases(methods, ['0.25'], decoders)
    found = [case for group in groups for case in group]
    samples = {
        case: of_case[''.join(c if c.isalnum() else '_' for c in case.name)] for case in found
    }
    return {case.name: row(samples, case, floor) for case in found}


def test_percentiles_are_numpys():
    values = np.random.default_rng(0).exponential(size=101)
    found = Percentiles.of(values)
    assert (found.p50, found.p95, found.p99) == tuple(np.percentile(values, [50, 95, 99]))
    with pytest.raises(ValueError, match='no value'):
        Percentiles.of([])


def test_ratios_are_taken_round_by_round_so_that_drift_cancels(floor):
    drift = (1, 10, 100, 1000, 3)
    found = rows_of(
        'none,fastv',
        'greedy',
        floor,
        none=[sample(prefill=8 * d, decode=4 * d) for d in drift],
        fastv_keep_0_25=[sample(prefill=2 * d, selection=2 * d, decode=4 * d) for d in drift],
    )
    pruned = found['fastv@keep=0.25']
    assert pruned.prefill_gain == pytest.approx(2)
    assert pruned.total_gain == pytest.approx(12 / 8)
    assert pruned.selection_share == pytest.approx(2 / 6)
    assert found['none'].prefill_gain is None


def test_selection_that_saves_nothing_has_no_share(floor):
    found = rows_of(
        'none,fastv',
        'greedy',
        floor,
        none=[sample(prefill=8.0)],
        fastv_keep_0_25=[sample(prefill=9.0, selection=1.0)],
    )
    assert found['fastv@keep=0.25'].selection_share is None
    assert found['fastv@keep=0.25'].prefill_saved_ms == -1


def test_answers_are_counted_that_equal_the_greedy_and_the_unpruned_ones(floor):
    found = rows_of(
        'transformers,none',
        'greedy,verify',
        floor,
        transformers=[sample(tokens=t, prefill=1.0) for t in ((1, 2), (3, 4), (5, 6))],
        none=[sample(tokens=t, prefill=1.0) for t in ((1, 2), (3, 3), (5, 6))],
        verify=[sample(tokens=t, prefill=1.0) for t in ((1, 2), (3, 3), (5, 6))],
    )
    assert (found['transformers'].same, found['verify'].same) == (2, 3)
    assert found['none'].same_as is None
    every = list(found.values())
    assert not answers_hold(every, 'float32')
    assert answers_hold(every, 'bfloat16')
    assert answers_hold(every[1:], 'float32')


def test_the_floor_falls_with_tokens_and_passes_and_counts_what_the_model_does(subject, floor):
    whole = floor.ms([sample()])
    pruned = floor.ms([sample(seen=(16,) * 4)])
    fewer = floor.ms([sample(passes=1)])
    assert set(whole) == {'towers', 'projector', 'prefill', 'decode', 'total'}
    assert whole['total'] == pytest.approx(sum(whole.values()) - whole['total'])
    assert pruned['prefill'] < whole['prefill'] and pruned['projector'] < whole['projector']
    assert pruned['towers'] == whole['towers']
    assert fewer['decode'] == 0
    weights = sum(p.numel() for p in subject.model.language_model.model.layers.parameters())
    # At these rates a pass of decoding reads each weight in 4 ns.
    assert whole['decode'] > 6 * weights * 4e-6


@pytest.mark.parametrize(
    ('method', 'layer'),
    [
        ('none', None),
        ('transformers', None),
        ('random', 0),
        ('random@place=before_llm', 0),
        ('random@place=after_layer', 2),
        ('sp_vla_pruning', 0),
        ('fastv', 2),
        ('fastv@layer=3', 3),
        ('dart', 0),
        ('info_entropy', 2),
    ],
)
def test_where_a_row_drops_is_read_from_its_parameters(method, layer, floor):
    (group,) = cases(method, ['0.25'], layer=2)
    assert drop_layer(row({group[0]: [sample()]}, group[0], floor)) == layer


def test_bars_are_held_against_the_rows_that_they_are_about(floor):
    found = rows_of(
        'none,random,fastv@layer=2',
        'greedy,verify',
        floor,
        none=[sample(prefill=100.0, decode=70.0)],
        verify=[sample(prefill=101.0)],
        random_keep_0_25=[sample(prefill=30.0, selection=1.0, decode=70.0)],
        random_verify_keep_0_25=[sample(prefill=99.0)],
        fastv_layer_2_keep_0_25=[sample(prefill=60.0, selection=3.0, decode=70.0)],
        fastv_verify_layer_2_keep_0_25=[sample(prefill=99.0)],
    )
    early, late, selection, verify = bars(list(found.values()))
    assert early.measured == {'random@keep=0.25': pytest.approx(100 / 31)} and early.holds
    assert late.measured == {'fastv@layer=2,keep=0.25': pytest.approx(100 / 63)} and late.holds
    assert selection.measured['fastv@layer=2,keep=0.25'] == pytest.approx(3 / 40)
    assert not selection.holds
    assert verify.measured == {'verify': pytest.approx(170 / 101)} and verify.holds


def test_a_bar_that_nothing_was_measured_for_is_missed():
    assert not any(bar.holds for bar in bars([]))


def test_a_share_of_nothing_saved_misses_its_bar(floor):
    found = rows_of(
        'none,fastv',
        'greedy',
        floor,
        none=[sample(prefill=8.0)],
        fastv_keep_0_25=[sample(prefill=9.0, selection=1.0)],
    )
    assert not bars(list(found.values()))[2].holds


def test_shapes_other_than_the_models_are_refused(floor):
    with pytest.raises(ValueError, match='layers'):
        floor.ms([sample(seen=(64, 64))])


def test_gains_are_told_against_eager_and_against_the_same_engine(floor):
    (group,) = cases('none', decoders='greedy,verify')
    eager, fast = (on_engine([group], name)[0] for name in ('eager', 'fast'))
    ms = {eager[0]: 12.0, eager[1]: 9.0, fast[0]: 6.0, fast[1]: 3.0}
    samples = {case: [sample(prefill=took)] for case, took in ms.items()}
    samples[fast[1]] = [sample(prefill=3.0, tokens=(1, 1))]
    rows = {(case.engine, case.decoder): row(samples, case, floor) for case in samples}
    gains = {key: (each.eager_gain, each.total_gain) for key, each in rows.items()}
    assert gains == {
        ('eager', 'greedy'): (None, None),
        ('eager', 'verify'): (pytest.approx(12 / 9), pytest.approx(12 / 9)),
        ('fast', 'greedy'): (2, None),
        ('fast', 'verify'): (4, 2),
    }
    assert [each.as_eager for each in rows.values()] == [None, None, 1, 0]
    assert rows['fast', 'verify'].same == 0
    # Another engine rounds in another order; whether it agrees is for the parity gate to say.
    assert answers_hold(list(rows.values()), 'float32')
    plain = rows['fast', 'verify'].plain()
    assert list(plain)[:4] == ['engine', 'method', 'decoder', 'total_ms_p50']
    assert plain['total_ms_p50'] == 3 and plain['stages_ms']['prefill']['p99'] == 3


def test_the_plain_path_is_measured_beside_eager_alone():
    groups = cases('transformers,none')
    assert len(on_engine(groups, 'eager')) == 2
    assert [[case.name for case in group] for group in on_engine(groups, 'fast')] == [['none']]
