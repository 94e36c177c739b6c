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

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.engines.planner import AGAIN, JUDGED, REMEMBERED, Costs, Curve, Drop, Planner

TOTAL, SIZES = 256, (64, 128, 256)
FLAT = Curve(((1, 1.0),))
# One millisecond for 64 tokens.
STEEP = Curve(((64, 1.0), (256, 4.0)))


def planner(layer=STEEP, projector=FLAT, layers=8, launch_ms=0.0):
    return Planner(Costs(layers, layer, projector, launch_ms), TOTAL, SIZES)


def learnt(made, method, choice_ms=1.0, kept=64, whole=0, projected=TOTAL, times=JUDGED):
    for _ in range(times):
        made.learn(method, choice_ms, (TOTAL,) * whole + (kept,) * (8 - whole), projected)


def test_a_curve_is_straight_between_points_flat_below_and_goes_on_beyond():
    assert [STEEP(count) for count in (1, 64, 160, 256, 320)] == [1.0, 1.0, 2.5, 4.0, 5.0]
    assert FLAT(1000) == 1.0


@pytest.mark.parametrize('points', [(), ((64, 1.0), (64, 2.0)), ((128, 1.0), (64, 2.0))])
def test_points_that_do_not_ascend_are_refused(points):
    with pytest.raises(ValueError, match='expected ascending'):
        Curve(points)


def test_what_a_drop_leaves_is_counted_behind_it_only():
    made = planner(projector=STEEP)
    assert made.full_ms == 36
    assert made.ms(Drop(0), 64) == 4 + 8
    assert made.ms(Drop(0, projector=True), 64) == 1 + 8
    assert made.ms(Drop(2), 64) == 4 + 2 * 4 + 6
    assert planner(launch_ms=0.1).ms(Drop(2), 64) > planner().ms(Drop(2), 64)


def test_the_most_tokens_that_pay_fall_as_the_choice_gets_dearer_and_the_drop_later():
    made = planner()
    # 8 layers of 1/64 ms a token: a choice of 8 ms is worth 64 tokens.
    assert made.pays_up_to(Drop(0), 7.99) == 192
    assert made.pays_up_to(Drop(0), 0.0) == 255
    assert made.pays_up_to(Drop(0), 23.9) == 64
    assert made.pays_up_to(Drop(4), 7.99) == 128
    assert made.pays_up_to(Drop(0), 30.0) == 0
    assert planner(FLAT).pays_up_to(Drop(0), 0.01) == 0


@given(st.integers(0, 7), st.floats(0, 40), st.integers(1, 256))
def test_the_bound_agrees_with_each_count(layer, choice_ms, kept):
    made = planner()
    assert made.pays(Drop(layer), kept, choice_ms) == (
        kept <= made.pays_up_to(Drop(layer), choice_ms)
    )


def test_a_method_is_judged_by_what_it_was_seen_to_do():
    made = planner()
    learnt(made, 'cheap', 1.0)
    learnt(made, 'dear', 30.0)
    learnt(made, 'late', 10.0, whole=6)
    assert made.runs('cheap') and not made.runs('dear') and not made.runs('late')
    assert made.said('cheap') == 'pays: 64 of 256 tokens kept, a drop pays here up to 247'
    assert made.said('dear').startswith('does not pay: 64 of 256 tokens kept')


def test_a_method_runs_until_enough_is_known_and_its_quickest_choice_counts():
    made = planner()
    learnt(made, 'first', 500.0, times=JUDGED - 1)
    assert made.runs('first') and made.said('first') == made.said('unknown') == 'measuring'
    learnt(made, 'first', 1.0, times=1)
    assert made.runs('first')


def test_what_does_not_pay_is_tried_again_now_and_then_where_that_is_allowed():
    made = planner(FLAT)
    learnt(made, 'some')
    learnt(made, 'other')
    calls = [made.runs('some') for _ in range(2 * AGAIN)]
    assert [place for place, ran in enumerate(calls) if ran] == [AGAIN - 1, 2 * AGAIN - 1]
    assert made.runs('other', again=False) and made.said('other', again=False) == 'measuring'
    learnt(made, 'other', times=REMEMBERED)
    assert made.said('other', again=False).startswith('does not pay')
    assert not any(made.runs('other', again=False) for _ in range(2 * AGAIN))


def test_calls_that_were_disturbed_do_not_switch_a_method_off_for_good():
    made = planner()
    learnt(made, 'some', 500.0, times=REMEMBERED - 1)
    assert made.runs('some', again=False)
    learnt(made, 'some', 1.0, times=1)
    assert all(made.runs('some', again=False) for _ in range(2 * AGAIN))


def test_a_row_of_the_table_has_every_count_with_the_choice_in_it():
    row = planner().row(Drop(0), 2.0)
    assert row == {
        'layer': 0,
        'projector': False,
        'choice_ms': 2.0,
        'full_ms': 33.0,
        'ms': {'64': 11.0, '128': 19.0, '256': 35.0},
        'pays_up_to': 239,
    }
