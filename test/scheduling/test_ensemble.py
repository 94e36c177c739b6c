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

"""The adaptive ensemble: which rows are averaged, by what weights, and the gripper."""

import numpy as np
import pytest

from vla_accel_ros.scheduling.ensemble import Ensemble

RIGHT, UP = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


def chunk(row, rows=4):
    return np.tile(row, (rows, 1))


def test_a_single_chunk_is_given_as_it_is():
    ensemble, values = Ensemble(3, 0.1), np.arange(12.0).reshape(4, 3) + 1
    ensemble.add(values, first=5)
    np.testing.assert_allclose(ensemble.rows(6), values[1:])
    assert len(ensemble.rows(9)) == 0


def test_the_rows_of_one_step_are_averaged_and_those_that_agree_count_more():
    ensemble = Ensemble(3, 1.0)
    ensemble.add(chunk(UP), first=0)
    ensemble.add(chunk(RIGHT), first=1)
    weights = np.exp([0.0, 1.0])
    expected = (weights[0] * UP + weights[1] * RIGHT) / weights.sum()
    np.testing.assert_allclose(ensemble.rows(1)[:3], [expected] * 3, atol=1e-6)
    # Nothing but the newest chunk speaks of the last step.
    np.testing.assert_allclose(ensemble.rows(1)[3], RIGHT, atol=1e-12)


def test_an_older_chunk_gives_the_row_of_the_same_step():
    ensemble = Ensemble(2, 0.0)
    ensemble.add(np.arange(4.0)[:, None] + 10, first=0)
    ensemble.add(np.full((4, 1), 1.0), first=2)
    np.testing.assert_allclose(ensemble.rows(2)[:2, 0], [(12 + 1) / 2, (13 + 1) / 2])


@pytest.mark.parametrize('horizon', [1, 2, 7])
def test_no_more_chunks_count_than_the_horizon(horizon):
    ensemble = Ensemble(horizon, 0.0)
    for step in range(9):
        ensemble.add(chunk(np.full(1, float(step)), 9), first=step)
    expected = np.mean(range(9 - horizon, 9))
    np.testing.assert_allclose(ensemble.rows(8)[0], [expected])


@pytest.mark.parametrize(('shut', 'wanted'), [(1, 0.0), (2, 1.0)])
def test_an_averaged_gripper_is_open_or_shut(shut, wanted):
    votes = [1.0] * shut + [0.0] * (3 - shut)
    loose, firm = Ensemble(3, 0.0), Ensemble(3, 0.0, grippers=(0,))
    for step, vote in enumerate(votes):
        for ensemble in (loose, firm):
            ensemble.add(chunk(np.array([vote, 0.1])), first=step)
    assert 0 < loose.rows(2)[0, 0] < 1, 'the mean alone is neither'
    np.testing.assert_allclose(firm.rows(2)[0], [wanted, 0.1])


def test_an_action_of_zeros_has_a_weight():
    ensemble = Ensemble(2, 0.1)
    ensemble.add(chunk(np.zeros(3)), first=0)
    ensemble.add(chunk(np.zeros(3)), first=1)
    assert np.array_equal(ensemble.rows(1)[0], np.zeros(3))


def test_nothing_is_left_of_chunks_that_were_forgotten():
    ensemble = Ensemble(2, 0.0)
    ensemble.add(chunk(UP), first=0)
    ensemble.clear()
    ensemble.add(chunk(RIGHT), first=1)
    assert len(ensemble) == 1
    np.testing.assert_allclose(ensemble.rows(1)[0], RIGHT)
