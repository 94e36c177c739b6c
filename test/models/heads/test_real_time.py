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

"""Real-time chunking."""

import numpy as np
import pytest
import torch

from vla_accel_ros.models.heads import continuation
from vla_accel_ros.models.heads.real_time import SCHEDULES, Given, Guide, guidance, row_weights


@pytest.mark.parametrize('schedule', sorted(SCHEDULES))
def test_rows_that_are_bound_to_be_executed_weigh_1_and_those_behind_the_end_nothing(schedule):
    weights = row_weights(schedule, 3, 7, 10)
    assert weights[:3].tolist() == [1, 1, 1]
    assert weights[7:].tolist() == [0, 0, 0]
    assert (np.diff(weights) <= 0).all()


def test_what_lies_between_falls_as_the_schedule_says():
    assert row_weights('linear', 2, 5, 6)[2:5] == pytest.approx([0.75, 0.5, 0.25])
    share = np.array([0.75, 0.5, 0.25])
    expected = share * (np.exp(share) - 1) / (np.e - 1)
    assert row_weights('exp', 2, 5, 6)[2:5] == pytest.approx(expected)
    assert row_weights('zeros', 2, 5, 6)[2:5].tolist() == [0, 0, 0]
    assert row_weights('ones', 2, 5, 6)[2:5].tolist() == [1, 1, 1]


@pytest.mark.parametrize('delay, end', [(0, 0), (9, 4), (4, 9), (9, 9)])
def test_more_delay_than_there_are_rows_is_no_error(delay, end):
    weights = row_weights('exp', delay, end, 6)
    assert len(weights) == 6
    assert ((weights >= 0) & (weights <= 1)).all()


def test_the_correction_has_a_bound_at_both_ends_of_the_flow():
    assert guidance(1.0, 5.0) == guidance(0.0, 5.0) == 5.0
    assert guidance(0.5, 5.0) == 2.0
    # (1 - tau) / tau / r^2 with tau = 0.7 and r^2 = 0.09 / 0.58.
    assert guidance(0.3, 50.0) == pytest.approx(0.3 / 0.7 * 0.58 / 0.09)


def denoised(guide, steps=10):
    """Run a flow whose actions are all 1."""
    x = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0))
    for step in range(steps):
        time = 1 - step / steps
        velocity = (x - 1) / time
        x = x - (velocity if guide is None else guide(x, velocity, time)) / steps
    return x[0]


def test_guided_rows_are_near_the_old_ones_and_those_behind_what_the_flow_gives():
    like = torch.zeros(1, 6, 4)
    found = denoised(Guide.towards(torch.full((1, 4, 4), -0.5), 'linear', 2, 0, 10.0, like))
    torch.testing.assert_close(denoised(None), torch.ones(6, 4))
    # 1 without guidance, -0.5 are the old ones; guidance is soft.
    assert (found[:2] < -0.3).all()
    assert (found[2:4] > -0.5).all()
    assert (found[2:4] < 1).all()
    # Behind the old chunk.
    torch.testing.assert_close(found[4:], torch.ones(2, 4))


def test_an_old_chunk_that_is_longer_than_the_new_one_is_cut():
    guide = Guide.towards(torch.zeros(1, 9, 4), 'exp', 1, 0, 5.0, torch.zeros(1, 6, 4))
    assert guide.old.shape == (1, 6, 4)


def test_every_schedule_that_can_be_chosen_is_there():
    assert tuple(SCHEDULES) == continuation.SCHEDULES


def test_given_rows_do_not_move():
    found = Given(2)(torch.zeros(1, 6, 4), torch.ones(1, 6, 4), 0.5)
    assert found[0, :, 0].tolist() == [0, 0, 1, 1, 1, 1]
