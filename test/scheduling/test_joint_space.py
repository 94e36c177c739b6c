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

"""Joints alone: predictors, speeds and the pilot's controller go by the fastest joint."""

from joint_robots import ALOHA, SEVEN, SIX_BY_STEPS, SPACES, row_of
import numpy as np
import pytest

from vla_accel_ros.actions import Action, ActionChunk
from vla_accel_ros.scheduling.buffer import ActionBuffer
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.decision import Kind
from vla_accel_ros.scheduling.pilot import Pilot
from vla_accel_ros.scheduling.predictors import make_predictor
from vla_accel_ros.scheduling.rules.interface import Verdict, make_rule

MS, STEP_S = 1_000_000, 0.05


def buffer_of(space, *joints):
    buffer = ActionBuffer(6, space)
    for stamp, each in enumerate(joints):
        buffer.append(Action(row_of(space, each, 1.0), stamp, space=space))
    return buffer


def test_hold_goes_on_with_a_position_and_repeats_a_displacement():
    hold = make_predictor('hold')
    on = hold.predict(buffer_of(ALOHA, 0.5, 0.52)).values
    assert on == pytest.approx(row_of(ALOHA, 0.54, 1.0))
    again = hold.predict(buffer_of(SIX_BY_STEPS, 0.01, 0.02)).values
    assert again == pytest.approx(row_of(SIX_BY_STEPS, 0.02, 1.0))
    assert hold.predict(buffer_of(SEVEN, 0.5)).values == pytest.approx(row_of(SEVEN, 0.5, 1.0))
    assert hold.predict(buffer_of(SEVEN, 0.1, 0.5)).reason == 'prediction_exceeds_rotation'


@pytest.mark.parametrize(
    'step, verdict',
    [
        (0.01, Verdict(False, 'too_slow')),
        (0.03, Verdict(True, 'steady_speed')),
        (0.06, Verdict(False, 'turning')),
    ],
)
def test_the_band_of_speeds_is_that_of_the_fastest_joint(step, verdict):
    rule = make_rule('velocity', w_min=0.3, w_max=1.0)
    slow = np.zeros(7)
    fast = np.array([0, 0, 0, 0, 0, 0, step])
    assert rule.judge(buffer_of(SEVEN, slow, fast), STEP_S) == verdict


@pytest.mark.parametrize('space', SPACES, ids=lambda space: space.name)
def test_a_pilot_runs_chunks_of_joints_and_asks_again_when_work_becomes_fine(space):
    config = SchedulerConfig(rule='never', replan_on_fine=True, fine_angular=0.5)
    pilot, stamp = Pilot(config, space), 10_000 * MS
    pilot.set_instruction('fold the towel')
    by_steps = not len(space.positions)
    steps = np.array([0.05, 0.05, 0.05, 0.002, 0.002, 0.002, 0.002])
    rows = [row_of(space, value) for value in (steps if by_steps else np.cumsum(steps))]
    request = pilot.on_frame(stamp, 0).request
    decisions = [pilot.on_answer(ActionChunk(rows, request.stamp_ns, space=space), MS)]
    for k in range(1, 6):
        decisions.append(pilot.on_frame(stamp + 50 * k * MS, 50 * k * MS))
    assert decisions[0].kind is Kind.DELIBERATIVE
    np.testing.assert_array_equal(decisions[2].action.values, rows[2])
    assert decisions[2].angular_speed == pytest.approx(1.0)
    assert decisions[2].speed == 0
    assert [each.reason for each in decisions if each.request is not None] == ['replan']
