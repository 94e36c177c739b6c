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

"""The product's columns and an environment's."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.environments.mapping import OSC_POSE, ActionMapping

unit = st.floats(-1, 1)


def of_openvla(action):
    """Post-process as OpenVLA's evaluation of LIBERO does: the model's gripper is 1 open."""
    action = np.array(action)
    action[-1] = np.sign(2 * action[-1] - 1)
    action[-1] *= -1
    return action


def test_the_default_is_the_products_own_convention():
    action = np.array([0.01, -0.02, 0.03, 0.1, 0.0, -0.1, 0.25])
    assert ActionMapping().to_environment(action) == pytest.approx(action)


def test_a_unit_of_osc_pose_is_5_cm_and_half_a_radian():
    action = np.array([0.05, -0.025, 0.0, 0.5, -0.25, 0.0, 1.0])
    assert OSC_POSE.to_environment(action) == pytest.approx([1, -0.5, 0, 1, -0.5, 0, 1])


@pytest.mark.parametrize(
    ('gripper', 'told'), [(0.0, -1), (0.49, -1), (0.5, 0), (0.51, 1), (1.0, 1)]
)
def test_a_binary_gripper_is_told_open_or_closed(gripper, told):
    action = np.array([0, 0, 0, 0, 0, 0, gripper])
    assert OSC_POSE.to_environment(action)[-1] == told


@given(motion=st.lists(unit, min_size=6, max_size=6), model_gripper=st.floats(0, 1))
def test_what_libero_is_told_is_what_the_original_tells_it(motion, model_gripper):
    ours = np.array([*motion, 1 - model_gripper])
    ours[:3] *= 0.05
    ours[3:6] *= 0.5
    assert OSC_POSE.to_environment(ours) == pytest.approx(of_openvla([*motion, model_gripper]))


@given(
    scale=st.lists(st.floats(0.01, 2) | st.floats(-2, -0.01), min_size=6, max_size=6),
    action=st.lists(unit, min_size=7, max_size=7),
)
def test_what_goes_there_comes_back(scale, action):
    mapping = ActionMapping(scale=tuple(scale), gripper_open=3.0, gripper_closed=-2.0)
    assert mapping.to_product(mapping.to_environment(action)) == pytest.approx(action)


def test_an_environment_that_cannot_turn_gets_its_columns_in_its_order():
    mapping = ActionMapping(columns=('gripper', 'z', 'x', 'y'))
    action = np.array([0.1, 0.2, 0.3, 9, 9, 9, 1.0])
    assert mapping.to_environment(action) == pytest.approx([1.0, 0.3, 0.1, 0.2])
    assert mapping.to_product([1.0, 0.3, 0.1, 0.2]) == pytest.approx([0.1, 0.2, 0.3, 0, 0, 0, 1.0])


def test_limits_are_in_m_and_rad_and_in_order():
    mapping = ActionMapping(
        scale=(-0.05, 0.05, 0.05, 0.5, 0.5, 0.5), gripper_open=1, gripper_closed=-1
    )
    low, high = mapping.limits(np.array([-1, -1, -1, -1, -1, -1, -1]), np.ones(7))
    assert high == pytest.approx([0.05] * 3 + [0.5] * 3 + [1])
    assert low == pytest.approx([-0.05] * 3 + [-0.5] * 3 + [0])


@pytest.mark.parametrize(
    ('values', 'said'),
    [
        ({'columns': ('x', 'warp')}, "'warp'"),
        ({'columns': ('x', 'x')}, 'at most once'),
        ({'columns': ()}, 'at most once'),
        ({'scale': (1.0, 0.0, 1.0, 1.0, 1.0, 1.0)}, 'expected 6 numbers but 0'),
        ({'scale': (1.0,)}, 'expected 6 numbers'),
        ({'scale': (float('nan'),) * 6}, 'nan'),
        ({'gripper_open': 1.0}, 'both 1.0'),
    ],
)
def test_what_makes_no_sense_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        ActionMapping(**values)


@pytest.mark.parametrize(
    ('shape', 'said'),
    [
        (
            (4,),
            r'actions of lab:Arm are of shape \[4\], expected \[7\]: x y z roll pitch yaw gripper',
        ),
        (None, r'are no array of numbers, expected \[7\]'),
    ],
)
def test_another_action_space_is_refused_by_both_shapes(shape, said):
    with pytest.raises(ValueError, match=said):
        ActionMapping().check(shape, 'lab:Arm')
