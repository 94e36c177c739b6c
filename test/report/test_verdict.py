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

from vla_accel_ros.report.data import Bound, Estimate, Measure, MethodRow, Provenance, Report
from vla_accel_ros.report.verdict import Standing, headline, judge

FINITE = st.floats(-1e6, 1e6)


def report(values, better='lower', limit=5.0, costs=(10.0, 4.0), bounds=True):
    """Return a report of 'none' and one method whose bounded measure is given."""
    return Report(
        title='',
        subtitle='',
        reference='none',
        measures=(Measure('wrong', 'error', 'mm', better=better), Measure('ms', 'time', 'ms')),
        methods=(
            MethodRow('none', values={'ms': Estimate(costs[0])}),
            MethodRow('fast', values={'wrong': values, 'ms': Estimate(costs[1])}),
        ),
        bounds=(Bound('wrong', limit),) if bounds else (),
        quality='wrong',
        cost='ms',
        provenance=Provenance('', ''),
    )


def standing(*arguments, **named):
    return judge(report(*arguments, **named))[1].standing


def test_the_whole_interval_has_to_keep_a_bound():
    assert standing(Estimate(4.0, 3.0, 5.0)) is Standing.WITHIN
    assert standing(Estimate(4.9, 4.0, 5.1)) is Standing.UNDECIDED
    assert standing(Estimate(5.1, 4.9, 6.0)) is Standing.UNDECIDED
    assert standing(Estimate(6.0, 5.1, 7.0)) is Standing.OUTSIDE


def test_bounds_of_what_is_better_higher_are_lower_bounds():
    assert standing(Estimate(-1.0, -2.9, 1.0), 'higher', -3.0) is Standing.WITHIN
    assert standing(Estimate(-6.0, -9.0, -3.1), 'higher', -3.0) is Standing.OUTSIDE


def test_without_an_interval_the_number_decides_and_without_a_number_nothing_is_said():
    assert standing(Estimate(5.0)) is Standing.WITHIN
    assert standing(Estimate(5.01)) is Standing.OUTSIDE
    assert standing(None) is Standing.UNKNOWN
    assert standing(Estimate(float('nan'))) is Standing.UNKNOWN


def test_the_distance_is_that_of_the_end_which_decides():
    def distance(estimate):
        return judge(report(estimate))[1].findings[0].distance

    assert distance(Estimate(4.0, 3.0, 4.5)) == '3.0 … 4.5, 0.5 to spare'
    assert distance(Estimate(6.0, 5.2, 7.0)) == '5.2 … 7.0, 0.2 beyond'
    assert distance(Estimate(5.0, 4.0, 6.5)) == '4.0 … 6.5, reaches 1.5 beyond'


def test_the_headline_says_what_the_figures_say():
    def said(*arguments, **named):
        made = report(*arguments, **named)
        return headline(made, judge(made))

    assert said(Estimate(4.0)) == (
        '1 of 1 accelerated settings keeps every bound; fast saves the most: '
        '2.50× less time than none.'
    )
    assert 'none of them costs less' in said(Estimate(4.0), costs=(4.0, 10.0))
    assert said(Estimate(9.0)) == 'No accelerated setting is shown to keep every bound.'
    assert said(None).endswith('1 could not be decided.')
    assert 'nothing is judged' in said(Estimate(4.0), bounds=False)


@given(FINITE, FINITE, FINITE, FINITE, st.sampled_from(['lower', 'higher']))
def test_worse_numbers_never_stand_better(low, span, limit, shift, better):
    order = list(Standing)
    estimate = Estimate(low, low, low + abs(span))
    worse = abs(shift) if better == 'lower' else -abs(shift)
    moved = Estimate(low + worse, low + worse, low + worse + abs(span))
    before = standing(estimate, better, limit)
    assert order.index(standing(moved, better, limit)) >= order.index(before)
