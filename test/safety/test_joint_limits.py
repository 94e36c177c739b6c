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

"""Limits of each joint: the description's, tightened by parameters."""

from joint_robots import RANGE, SEVEN, SPEED, joints_of, urdf
import pytest

from vla_accel_ros.inputs.urdf import DescribedLimit
from vla_accel_ros.safety.joint_drive import JointDrive
from vla_accel_ros.safety.joint_limits import JointSettings, joint_limits

DESCRIBED = {'a': DescribedLimit(-2, 2, 3), 'lift': DescribedLimit(0, 0.5, 0.2)}


def limits(**settings):
    return joint_limits(['a', 'lift'], ['rad', 'm'], DESCRIBED, JointSettings(**settings))


def test_the_descriptions_limits_hold_where_nothing_tightens_them():
    arm, lift = limits()
    assert (arm.lower, arm.upper, arm.velocity) == DESCRIBED['a']
    assert (lift.lower, lift.upper, lift.velocity, lift.unit) == (*DESCRIBED['lift'], 'm')


def test_parameters_tighten_and_never_loosen():
    arm, lift = limits(lower=[-1], upper=[5, 0.3], velocity=[9, 0.1], largest_step=[0.2, 0.01])
    assert (arm.lower, arm.upper, arm.velocity, arm.largest_step) == (-1, 2, 3, 0.2)
    assert (lift.lower, lift.upper, lift.velocity, lift.largest_step) == (0, 0.3, 0.1, 0.01)


@pytest.mark.parametrize(
    'settings, message',
    [
        ({'velocity': [1, 2, 3]}, 'joints.velocity has 3 numbers, expected 1 or 2'),
        ({'lower': [2.5]}, 'a goes from 2.5 to 2 rad, expected some room'),
        ({'largest_step': [0]}, r'largest_step\[0\] is 0.0, expected a number from 0.0001'),
        ({'velocity': [float('nan')]}, r'velocity\[0\] is nan'),
    ],
)
def test_settings_that_do_not_go_with_the_joints_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        limits(**settings)


def test_a_joint_that_is_not_described_is_named_beside_those_that_are():
    with pytest.raises(ValueError, match='no limits of elbow, only of a, lift'):
        joint_limits(['a', 'elbow'], ['rad', 'rad'], DESCRIBED, JointSettings())


def test_a_later_description_tightens_and_never_loosens():
    names, drive = joints_of(SEVEN), JointDrive(SEVEN)
    for text in (urdf(names), urdf(names, -9.0, 1.0, 99.0), 'no XML', urdf(names, velocity=0)):
        drive.describe(text)
    assert drive.limits == ()
    assert drive.describe(urdf(names, -9.0, 9.0, 99.0)) == ''
    assert {each[2:5] for each in drive.limits} == {(-RANGE, 1.0, SPEED)}


def test_another_robots_description_takes_the_limits_away_until_the_right_one_comes_again():
    names, drive = joints_of(SEVEN), JointDrive(SEVEN)
    drive.describe(urdf(names, -2.0, 1.0))
    wrong = drive.describe(urdf(names, 1.5, 3.0))
    assert 'goes from 1.5 to 3, and an earlier description said -2 to 1' in wrong
    assert drive.limits == ()
    assert drive.describe(urdf(names, -2.0, 1.0)) == ''
    assert {each[2:4] for each in drive.limits} == {(-2.0, 1.0)}
