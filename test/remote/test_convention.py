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

"""What a server's numbers mean: declared, checked, never guessed."""

from joint_robots import ALOHA
import numpy as np
import pytest

from vla_accel_ros.models.prediction import NotFiniteError
from vla_accel_ros.remote.convention import GRIPPERS, SPACE, Convention, declared
from vla_accel_ros.remote.errors import RemoteAnswerError, RemoteMismatchError

OURS = Convention(metres=1.0, radians=1.0, gripper='closed_is_one')
ROW = [0.01, 0.02, 0.03, 0.1, 0.2, 0.3, 1.0]


def test_our_own_convention_changes_nothing():
    assert OURS.read([ROW, ROW]).tolist() == [ROW, ROW]
    assert OURS.read(ROW).tolist() == [ROW]


def test_numbers_of_a_controller_are_scaled_to_metres_and_radians():
    unit = Convention(metres=0.05, radians=0.5, gripper='closed_is_plus')
    rows = unit.read([[1, -1, 0, 1, -1, 0, -1]])
    assert rows.tolist() == [[0.05, -0.05, 0, 0.5, -0.5, 0, 0]]


@pytest.mark.parametrize('name', sorted(GRIPPERS))
def test_each_gripper_convention_goes_from_open_to_closed(name):
    opened, closed = GRIPPERS[name]
    convention = Convention(metres=1.0, radians=1.0, gripper=name)
    found = [convention.read([*ROW[:6], value])[0, 6] for value in (opened, closed)]
    assert found == [0.0, 1.0]


def test_columns_are_taken_by_name_and_padding_is_left_out():
    names = ('gripper', 'x', 'y', 'z', 'yaw', 'pitch', 'roll', '-', '-')
    padded = Convention(names, 1.0, 1.0, 'closed_is_one')
    assert padded.read([[1, 0.01, 0.02, 0.03, 0.3, 0.2, 0.1, 9, 9]]).tolist() == [ROW]


def test_two_arms_of_joints_in_degrees_are_taken_by_name():
    swapped = ALOHA.names[7:] + ALOHA.names[:7]
    convention = Convention(swapped, 0.0, np.pi / 180, 'open_is_one', ALOHA)
    assert convention.undeclared == []
    (row,) = convention.read([90.0] * 6 + [1.0] + [-45.0] * 6 + [0.0])
    assert row[ALOHA.moving] == pytest.approx([-np.pi / 4] * 6 + [np.pi / 2] * 6)
    assert row[ALOHA.grippers].tolist() == [1.0, 0.0]
    assert Convention(ALOHA.names, space=ALOHA).undeclared == ['remote_radians', 'remote_gripper']
    told = Convention(ALOHA.names, space=ALOHA).with_declared(declared(ALOHA))
    assert (told.radians, told.space) == (1.0, ALOHA)
    with pytest.raises(RemoteMismatchError, match=r'expected each of .*left_joint1'):
        Convention(SPACE.names, space=ALOHA)


@pytest.mark.parametrize(
    ('answer', 'words'),
    [
        (np.zeros((2, 8)), r'shape \[2, 8\], expected \[n, 7\].*x, y, z'),
        (np.zeros((0, 7)), r'shape \[0, 7\]'),
        (np.zeros((1, 2, 7)), r'shape \[1, 2, 7\]'),
        (np.zeros((1001, 7)), '1 to 1000'),
        (3.0, r'shape \[\]'),
        ('words', "'words', no numbers"),
        ([[1, 2], [3]], 'no numbers'),
        ([10**400, *ROW[1:]], 'no numbers'),
        ({'x': 1}, 'no numbers'),
        ([*ROW[:6], -1.0], 'gripper is -1 in row 0; with remote_gripper closed_is_one it goes'),
    ],
)
def test_an_answer_of_another_form_is_refused_by_name(answer, words):
    with pytest.raises(RemoteAnswerError, match=words):
        OURS.read(answer)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(value):
    with pytest.raises(NotFiniteError, match='NaN or infinite'):
        OURS.read([value, *ROW[1:]])


def test_a_regressed_gripper_may_overshoot_a_little():
    assert OURS.read([*ROW[:6], 1.04])[0, 6] == 1.0
    assert OURS.read([*ROW[:6], -0.02])[0, 6] == 0.0


@pytest.mark.parametrize('names', [SPACE.names[:6], (*SPACE.names, 'x'), (*SPACE.names, 'j7')])
def test_columns_that_are_not_ours_are_refused(names):
    with pytest.raises(RemoteMismatchError, match='remote_columns are'):
        Convention(names)


def test_what_nobody_declares_is_named():
    assert Convention().undeclared == ['remote_metres', 'remote_radians', 'remote_gripper']
    assert Convention().with_declared(declared()) == OURS
    assert OURS.with_declared({}) == OURS


@pytest.mark.parametrize(
    ('told', 'words'),
    [
        ({'metres': 0.05}, 'remote_metres is 1.0, and the server declares 0.05'),
        ({'gripper': 'open_is_one'}, "remote_gripper is 'closed_is_one', and the server"),
        ({'columns': ['a', 'b']}, 'remote_columns'),
    ],
)
def test_a_server_that_declares_otherwise_is_refused(told, words):
    with pytest.raises(RemoteMismatchError, match=words):
        OURS.with_declared(told)


def test_a_declaration_that_is_nonsense_is_refused():
    with pytest.raises(RemoteMismatchError):
        Convention().with_declared({'gripper': 'sideways'})
    with pytest.raises(RemoteMismatchError):
        Convention().with_declared({'columns': 7})
