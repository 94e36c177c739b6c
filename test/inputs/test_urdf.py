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

"""Limits of joints from a robot's description."""

from math import inf
import re

from joint_robots import urdf
import pytest

from vla_accel_ros.inputs.urdf import DescribedLimit, read_limits


def test_limits_of_every_movable_joint_are_read_by_name():
    text = urdf(['a', 'b'], -1.5, 2.0, 3.0)
    assert read_limits(text) == {name: DescribedLimit(-1.5, 2.0, 3.0) for name in 'ab'}


def test_a_continuous_joint_has_no_end_and_a_prismatic_one_has():
    assert read_limits(urdf(['a'], kind='continuous'))['a'][:2] == (-inf, inf)
    assert read_limits(urdf(['a'], 0, 0.4, 1, 'prismatic'))['a'] == (0, 0.4, 1)


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'no XML'),
        ('<robot>', 'no XML'),
        ('<!DOCTYPE r [<!ENTITY a "b">]><robot/>', 'a DOCTYPE or an ENTITY, expected plain URDF'),
        ('<mujoco/>', 'begins with <mujoco>, expected <robot>'),
    ],
)
def test_what_is_no_description_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_limits(text)


@pytest.mark.parametrize(
    'text, message',
    [
        ('<robot><joint name="j" type="revolute"/></robot>', "joint 'j' .* has no <limit>"),
        (urdf(['j'], lower=1, upper=1), "joint 'j' .* goes from 1 to 1 at 2 a second"),
        (
            urdf(['j'], velocity=0),
            "joint 'j' .* expected lower below upper and a velocity of at least",
        ),
        (urdf(['j'], upper='nan'), "joint 'j' .* has upper 'nan', expected a number"),
        (urdf(['j'], velocity='inf'), "velocity 'inf', expected a number"),
        (urdf(['j'], lower='${-pi}'), 'has lower .* expected a number'),
        (urdf(['j'], velocity='1e-320'), 'a velocity of at least 0.001'),
        (urdf(['j', 'j']), "joint 'j' of robot_description comes twice"),
    ],
)
def test_a_joint_that_cannot_be_is_an_error_for_whoever_wants_it(text, message):
    error = read_limits(text)['j']
    assert isinstance(error, ValueError)
    assert re.search(message, str(error))


def test_a_joint_that_nobody_commands_may_be_what_it_likes():
    wheel = '<joint name="wheel" type="continuous"><limit velocity="0"/></joint>'
    others = f'{wheel}<joint type="revolute"/></robot>'
    limits = read_limits(urdf(['a']).replace('</robot>', others))
    assert isinstance(limits['a'], DescribedLimit)
    assert set(limits) == {'a', 'wheel'}
