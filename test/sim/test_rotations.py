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


"""Tests of the rotation helpers."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.sim.rotations import (
    of_quaternion,
    quaternion,
    to_matrix,
    to_vector,
    wrap,
    yaw_matrix,
)

components = st.floats(-1.8, 1.8, allow_nan=False)


@given(st.tuples(components, components, components))
def test_vector_to_matrix_and_back_is_the_identity(vector):
    # The angle stays below pi, where the vector is unique.
    matrix = to_matrix(vector)
    assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix) == pytest.approx(1.0)
    if np.linalg.norm(vector) < 3.1:
        assert np.allclose(to_vector(matrix), vector, atol=1e-6)


@pytest.mark.parametrize('axis', np.eye(3).tolist() + [[0.6, 0.0, 0.8]])
def test_half_a_turn_has_an_angle_of_pi(axis):
    vector = to_vector(to_matrix(np.pi * np.array(axis)))
    assert np.allclose(np.abs(vector), np.pi * np.array(axis), atol=1e-6)


def test_yaw_is_a_turn_about_z():
    assert np.allclose(yaw_matrix(0.4), to_matrix([0.0, 0.0, 0.4]))


@given(st.floats(-50, 50), st.integers(-3, 3))
def test_wrapping_forgets_whole_periods(angle, turns):
    once = wrap(angle, np.pi / 2)
    assert -np.pi / 4 <= once <= np.pi / 4
    difference = wrap(angle + turns * np.pi / 2, np.pi / 2) - once
    assert min(abs(difference), abs(abs(difference) - np.pi / 2)) < 1e-9


@pytest.mark.parametrize('axis', range(3))
@pytest.mark.parametrize('angle', [0.0, 0.4, 1.6, 3.1, -2.0])
def test_a_quaternion_turns_as_its_matrix(axis, angle):
    turn = np.zeros(3)
    turn[axis] = 1
    cross = np.cross(turn, np.eye(3)).T
    matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    x, y, z, w = quaternion(matrix)
    expected = np.append(np.sin(angle / 2) * turn, np.cos(angle / 2))
    assert abs(np.dot([x, y, z, w], expected)) == pytest.approx(1.0)
    vector = np.array([x, y, z])
    rebuilt = np.array(
        [v + 2 * np.cross(vector, np.cross(vector, v) + w * v) for v in np.eye(3)]
    ).T
    assert rebuilt == pytest.approx(matrix, abs=1e-9)
    assert of_quaternion((x, y, z, w)) == pytest.approx(matrix, abs=1e-9)


@pytest.mark.parametrize('vector', [(1e200, 0, 0), (1e300, -1e300, 1e200), (0.0, -0.0, 1e-320)])
def test_a_turn_of_any_length_is_a_rotation(vector):
    matrix = to_matrix(vector)
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-9)


@pytest.mark.parametrize('vector', [(np.nan, 0, 0), (0, np.inf, 0), (1.7e308, 1.7e308, 0)])
def test_a_turn_that_is_no_number_is_refused(vector):
    with pytest.raises(ValueError, match='expected finite numbers'):
        to_matrix(vector)
