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

"""Limits on displacements of the end effector, each refused under its own name."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.safety.tool_limits import Record, check_motion, check_workspace

MS = 1_000_000
NS = 1_000_000_000
STEP_S = 0.05
NOW = 100 * NS
LIMITS = Limits()


def padded(values):
    return [*map(float, values), *[0.0] * (7 - len(values))]


def check(row, record=None, limits=LIMITS, now=NOW, position=None, grace_s=0.0):
    motion = check_motion(padded(row), STEP_S, limits, record or Record(), now, grace_s)
    return motion or check_workspace(padded(row), limits, position)


def verdict(row, record=None, limits=LIMITS, **options):
    refusal = check(row, record, limits, **options)
    return refusal.reason if refusal else None


def recorded(*rows, gap_ms=50):
    """Give a record of actions that came `gap_ms` apart, the last one `gap_ms` before NOW."""
    record = Record()
    for index, row in enumerate(rows):
        record.add(padded(row), NOW - (len(rows) - index) * gap_ms * MS, STEP_S)
    return record


WIDE = Limits(
    translation_step=1,
    rotation_step=3,
    linear_speed=5,
    angular_speed=20,
    translation_per_second=5,
    rotation_per_second=20,
    linear_acceleration=1e3,
    angular_acceleration=1e4,
)


@pytest.mark.parametrize(
    'name, limit, column',
    [
        ('translation_step', 0.02, 1),
        ('rotation_step', 0.02, 5),
        ('linear_speed', 0.4, 2),
        ('angular_speed', 0.4, 3),
        ('translation_per_second', 0.02, 0),
        ('rotation_per_second', 0.02, 4),
        ('linear_acceleration', 8, 0),
        ('angular_acceleration', 8, 4),
    ],
)
@pytest.mark.parametrize('sign', [1, -1])
def test_each_limit_is_refused_under_its_own_name(name, limit, column, sign):
    limits = replace(WIDE, **{name: limit})
    row = [0.0] * 7
    row[column] = sign * 0.02
    assert verdict(row, limits=limits) is None
    row[column] = sign * 0.0201
    assert verdict(row, limits=limits) == name


def test_an_action_exactly_at_a_limit_survives_single_precision():
    limits = replace(WIDE, translation_step=0.03)
    assert verdict([float(np.float32(0.03))], limits=limits) is None


def test_lengths_are_euclidean():
    limits = replace(WIDE, translation_step=0.05)
    assert verdict([0.03, 0.04, 0.0], limits=limits) is None
    assert verdict([0.03, 0.04, 0.01], limits=limits) == 'translation_step'


def test_the_path_of_the_last_second_is_limited():
    limits = replace(WIDE, translation_per_second=0.1)
    record = recorded(*[[0.02]] * 4)
    assert verdict([0.02], record, limits) is None
    assert verdict([-0.021], record, limits) == 'translation_per_second'


def test_what_is_older_than_a_second_no_longer_counts():
    limits = replace(WIDE, translation_per_second=0.1)
    record = recorded(*[[0.03]] * 3, gap_ms=330)
    assert verdict([0.03], record, limits) == 'translation_per_second'
    assert verdict([0.03], record, limits, now=NOW + 10 * MS) is None


def test_enabling_again_does_not_clear_the_path_of_the_last_second():
    limits = replace(WIDE, translation_per_second=0.1)
    record = recorded(*[[0.03]] * 3)
    record.forget()
    assert verdict([0.03], record, limits) == 'translation_per_second'


def test_acceleration_is_the_change_of_velocity_over_the_step():
    limits = replace(WIDE, linear_acceleration=2.0)
    record = recorded([0.02])
    assert verdict([0.0249], record, limits) is None
    assert verdict([0.0251], record, limits) == 'linear_acceleration'


@pytest.mark.parametrize('share', [0.0, 0.1, 0.5, 1.0])
def test_braking_is_always_allowed(share):
    limits = replace(WIDE, linear_acceleration=0.01, angular_acceleration=0.01)
    record = recorded([0.02, 0, 0.01, 0, 0.1, 0])
    row = [share * value for value in (0.02, 0, 0.01, 0, 0.1, 0)]
    assert verdict(row, record, limits) is None


@pytest.mark.parametrize('row', [[-0.001], [-0.02], [0.0201], [0.012, 0.019]])
def test_reversing_and_swerving_are_no_braking(row):
    limits = replace(WIDE, linear_acceleration=0.01)
    assert verdict(row, recorded([0.02]), limits) == 'linear_acceleration'


def test_after_a_halt_the_arm_accelerates_from_rest():
    limits = replace(WIDE, linear_acceleration=2.0)
    record = recorded([0.02], gap_ms=91)
    assert verdict([0.006], record, limits, grace_s=0.04) == 'linear_acceleration'
    assert verdict([0.005], record, limits, grace_s=0.04) is None
    assert verdict([0.02], record, limits, grace_s=0.045) is None


BOX = replace(LIMITS, workspace_min=(-0.1, -0.1, 0.0), workspace_max=(0.1, 0.1, 0.3))


@pytest.mark.parametrize(
    'position, row, reason',
    [
        ((0, 0, 0.1), [0.01, 0.01, 0.01], None),
        ((0.095, 0, 0.1), [0.01, 0, 0], 'workspace'),
        ((0.095, 0, 0.1), [-0.01, 0, 0], None),
        ((0, -0.095, 0.1), [0, -0.01, 0], 'workspace'),
        ((0, 0, 0.005), [0, 0, -0.01], 'workspace'),
        ((0.15, 0, 0.1), [0.001, 0, 0], 'workspace'),
        ((0.15, 0, 0.1), [-0.01, 0, 0], None),
        ((0.15, 0, 0.1), [0, 0.01, 0], None),
        ((-0.15, 0, 0.1), [0.01, 0, 0], None),
        ((-0.15, 0, 0.1), [-0.001, 0, 0], 'workspace'),
        (None, [0.01, 0, 0], 'no_pose'),
    ],
)
def test_the_workspace_is_never_left_and_may_be_returned_to(position, row, reason):
    assert verdict(row, limits=BOX, position=position) == reason


def test_without_a_box_no_pose_is_needed():
    assert verdict([0.01], position=None) is None


def test_the_detail_quotes_value_and_limit():
    refusal = check([0.06])
    assert refusal == ('translation_step', '0.06 m, at most 0.05')


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=7, max_size=7))
def test_whatever_is_accepted_is_within_every_limit(row):
    # What is not finite is refused before.
    if np.isfinite(row).all() and verdict(row) is None:
        assert np.linalg.norm(row[:3]) <= LIMITS.translation_step * 1.00001
        assert np.linalg.norm(row[:3]) / STEP_S <= LIMITS.linear_speed * 1.00001
        assert np.linalg.norm(row[3:6]) / STEP_S <= LIMITS.angular_speed * 1.00001
