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
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from vla_accel_ros.actions import Action, Source
from vla_accel_ros.scheduling.buffer import ActionBuffer
from vla_accel_ros.scheduling.predictors import (
    PREDICTORS,
    Prediction,
    Validity,
    make_predictor,
    register,
    ridge_filter,
)

WIDE = {'max_translation': 1.0, 'max_rotation': 3.0}
FREE = Validity(change='ignore', min_actions=2, **WIDE)


def filled(rows, capacity=None):
    buffer = ActionBuffer(capacity or max(len(rows), 2))
    for stamp, row in enumerate(rows):
        buffer.append(Action(row, stamp))
    return buffer


def line(slope, count=6):
    return [[slope * t, -slope * t, 0.0, 0.0, 0.0, slope * t, 1.0] for t in range(count)]


@given(
    st.integers(2, 12).flatmap(lambda n: arrays(float, (n, 7), elements=st.floats(-0.1, 0.1))),
    st.sampled_from([1e-8, 1e-4, 1e-2, 1.0]),
    st.integers(0, 5),
)
def test_ridge_equals_scikit_learn(rows, penalty, forgotten):
    buffer = ActionBuffer(len(rows))
    for stamp, row in enumerate([*([[9.0] * 7] * forgotten), *rows]):
        buffer.append(Action(row, stamp))
    count = len(rows)
    time = np.stack([np.arange(count), np.ones(count)], axis=1).astype(float)
    model = Ridge(alpha=penalty, fit_intercept=False, solver='cholesky').fit(time, rows[:, :6])
    expected = model.predict([[count, 1.0]])[0]
    values = make_predictor('ridge', FREE, penalty=penalty).predict(buffer).values
    np.testing.assert_allclose(values[:6], expected, rtol=0, atol=1e-9)
    assert values[6] == rows[-1, 6]


def test_ridge_of_translation_only_copies_rotation_and_gripper():
    rows = 0.1 * np.random.default_rng(1).normal(size=(6, 7))
    both = make_predictor('ridge', FREE).predict(filled(rows)).values
    some = make_predictor('ridge', FREE, fit='translation').predict(filled(rows)).values
    np.testing.assert_array_equal(some[:3], both[:3])
    np.testing.assert_array_equal(some[3:], rows[-1, 3:])


def test_ridge_follows_a_line_but_for_the_shrinkage():
    values = make_predictor('ridge', FREE).predict(filled(line(0.01))).values
    np.testing.assert_allclose(values, [0.06, -0.06, 0, 0, 0, 0.06, 1], atol=1e-5)


def test_the_filter_of_one_value_repeats_it_but_for_the_shrinkage():
    np.testing.assert_allclose(ridge_filter(1, 1e-4), [1 / (1 + 1e-4)])


@pytest.mark.parametrize('count', range(3))
def test_ridge_waits_for_enough_actions(count):
    prediction = make_predictor('ridge', Validity(min_actions=3)).predict(filled(line(1)[:count]))
    assert prediction == Prediction(None, 'too_few_actions')


@given(arrays(float, (6, 7), elements=st.floats(-0.1, 0.1)))
def test_no_column_changes_faster_than_it_did_within_the_buffer(rows):
    buffer = filled(rows)
    raw = make_predictor('ridge', FREE).predict(buffer).values
    clipped = make_predictor('ridge', Validity(**WIDE)).predict(buffer).values
    largest = buffer.changes.max(axis=0)
    expected = rows[-1] + np.clip(raw - rows[-1], -largest, largest)
    np.testing.assert_allclose(clipped, expected, rtol=0, atol=1e-12)


def zigzag(sign):
    # The mean of these lies further from the last than any neighbours are apart.
    values = [0.0, 0.01, 0.02, 0.03, 0.02, 0.01]
    return [[sign * value] + [0.0] * 6 for value in values]


@pytest.mark.parametrize('sign', [1, -1])
def test_a_prediction_that_leaps_is_clipped_or_rejected_as_told(sign):
    buffer = filled(zigzag(sign))
    raw = make_predictor('ridge', FREE).predict(buffer).values
    assert abs(raw[0] - sign * 0.01) > 0.01
    clipped = make_predictor('ridge', Validity()).predict(buffer).values
    assert clipped[0] == pytest.approx(sign * 0.02)
    rejected = make_predictor('ridge', Validity(change='reject')).predict(buffer)
    assert rejected == Prediction(None, 'prediction_changes_too_fast')


@pytest.mark.parametrize('name', ['ridge', 'hold'])
@pytest.mark.parametrize(
    'row, reason',
    [
        ([np.nan, 0, 0, 0, 0, 0, 0], 'prediction_not_finite'),
        ([0, 0, 0, 0, np.inf, 0, 0], 'prediction_not_finite'),
        ([0, 0, 0, 0, 0, 0, np.nan], 'prediction_not_finite'),
        ([0, 1e200, 0, 0, 0, 0, 0], 'prediction_not_finite'),
        ([0.02, 0, 0.02, 0, 0, 0, 0], 'prediction_exceeds_translation'),
        ([0.01, 0, 0, 0.2, 0, -0.2, 0], 'prediction_exceeds_rotation'),
    ],
)
def test_an_invalid_prediction_is_none_with_a_named_reason(name, row, reason):
    validity = Validity(max_translation=0.025, max_rotation=0.25)
    prediction = make_predictor(name, validity).predict(filled([row] * 6))
    assert prediction == Prediction(None, reason)


def test_hold_repeats_the_last_action():
    rows = 0.01 * np.random.default_rng(2).normal(size=(4, 7))
    hold = make_predictor('hold')
    prediction = hold.predict(filled(rows))
    np.testing.assert_array_equal(prediction.values, rows[-1])
    assert prediction.reason == 'predicted'
    assert hold.source is Source.HOLD
    assert hold.predict(filled(rows[:1])).values is not None
    assert hold.predict(ActionBuffer(6)) == Prediction(None, 'too_few_actions')


def test_a_registered_predictor_is_known_by_its_name():
    @register('opposite')
    class Opposite:
        source = Source.HOLD

        def __init__(self, validity):
            self.validity = validity

        def predict(self, buffer):
            return Prediction(-buffer.last.values, 'predicted')

    try:
        prediction = make_predictor('opposite').predict(filled([[1.0] * 7]))
        assert prediction.values.tolist() == [-1.0] * 7
    finally:
        del PREDICTORS['opposite']


def test_an_unknown_predictor_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'lasso', expected one of \['hold', 'ridge'\]"):
        make_predictor('lasso')


@pytest.mark.parametrize(
    'build, message',
    [
        (lambda: make_predictor('ridge', penalty=0.0), 'penalty is 0.0, expected a number'),
        (lambda: make_predictor('ridge', penalty=np.nan), 'penalty is nan'),
        (lambda: make_predictor('ridge', fit='rotation'), "fit is 'rotation', expected one of"),
        (lambda: Validity(max_translation=0), 'max_translation is 0.0, expected'),
        (lambda: Validity(max_rotation=np.nan), 'max_rotation is nan, expected a number from'),
        (lambda: Validity(change='stop'), "change is 'stop', expected one of 'clip'"),
        (lambda: Validity(min_actions=1), 'min_actions is 1, expected a whole number'),
    ],
)
def test_options_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
