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

"""What a space knows of its columns, so that nobody else has to."""

import json
from math import nan, sqrt

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from spaces import JOINTS, TWO_ARMS, both

from vla_accel_ros.action_columns import ColumnKind, Group
from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action, ActionChunk

numbers = st.floats(-1, 1)
sevens = st.lists(numbers, min_size=7, max_size=7)


def test_the_end_effector_has_the_seven_columns_that_messages_carry():
    assert END_EFFECTOR.names == ('x', 'y', 'z', 'roll', 'pitch', 'yaw', 'gripper')
    assert END_EFFECTOR.units == ('m', 'm', 'm', 'rad', 'rad', 'rad', '')
    tool = END_EFFECTOR.tool()
    row = list(range(7))
    assert (row[tool.translation], row[tool.rotation], tool.gripper) == ([0, 1, 2], [3, 4, 5], 6)


@given(sevens, st.sampled_from([0.02, 0.05, 1.0]))
def test_the_speeds_of_an_end_effector_are_lengths_over_the_step(row, step_s):
    linear, angular = END_EFFECTOR.speeds(row, step_s)
    assert linear == pytest.approx(np.linalg.norm(row[:3]) / step_s)
    assert angular == pytest.approx(np.linalg.norm(row[3:6]) / step_s)


@given(sevens, sevens)
def test_of_two_arms_the_faster_gives_each_speed(left, right):
    one, other = END_EFFECTOR.speeds(left, 0.1), END_EFFECTOR.speeds(right, 0.1)
    expected = tuple(map(max, one, other))
    assert TWO_ARMS.speeds(both(left, right).tolist(), 0.1) == expected


def test_of_joints_the_fastest_counts_and_positions_are_compared_with_the_action_before():
    before = [0.5, -1.0, 2.0, 0.0, 9.0, 9.0, 9.0, 0.0]
    row = [0.5, -1.3, 2.1, 1.0, 0.02, 0.1, -0.2, 1.0]
    assert JOINTS.speeds(row, 0.1, before) == pytest.approx((0.2, 3.0))
    assert JOINTS.speeds(row, 0.1) == pytest.approx((0.2, 2.0))


def test_vectors_that_stand_alone_have_speeds_too():
    space = ActionSpace('drill', [Group(ColumnKind.ROTATION, ('r', 'p', 'q'))])
    assert space.squares([1.0, 2.0, 2.0]) == pytest.approx((0.0, 9.0))
    space = ActionSpace('crane', [Group(ColumnKind.TRANSLATION, ('u', 'v', 'w'))])
    assert space.squares([1.0, 2.0, 2.0]) == pytest.approx((9.0, 0.0))


def test_a_value_that_is_no_number_is_no_speed():
    row = [0.0] * 7
    row[1] = nan
    linear, angular = END_EFFECTOR.squares(row)
    assert linear != linear and angular == 0


@pytest.mark.parametrize('space', [END_EFFECTOR, TWO_ARMS, JOINTS])
def test_every_column_is_a_gripper_or_moves_and_each_fit_covers_all(space):
    places = set(range(space.width))
    assert {*space.grippers} | {*space.moving} == places
    assert {*space.displacements} | {*space.positions} == {*space.moving}
    assert {i for part in space.parts for i in range(space.width)[part.columns]} == {*space.moving}
    for fitted, repeated in space.extrapolated.values():
        assert not {*fitted} & {*repeated} and {*fitted} | {*repeated} == places
        assert {*space.grippers} <= {*repeated}
    _, repeated = space.extrapolated['translation_rotation']
    assert {*repeated} == {*space.grippers}


def test_a_fit_of_translations_leaves_rotations_out_and_nothing_else_that_moves():
    fitted, _ = TWO_ARMS.extrapolated['translation']
    assert [TWO_ARMS.names[i][-1] for i in fitted] == ['x', 'y', 'z'] * 2
    fitted, _ = JOINTS.extrapolated['translation']
    assert [*fitted] == [*JOINTS.moving]


def test_each_gripper_says_whether_it_closes():
    open_, closed = [0.0] * 6 + [0.4], [0.0] * 6 + [0.5]
    assert TWO_ARMS.closed(both(open_, closed).tolist()) == (False, True)
    assert TWO_ARMS.closed(both(closed, open_).tolist()) == (True, False)


def test_a_number_for_each_unit_is_spread_over_the_columns():
    assert END_EFFECTOR.spread(0.05, 0.5, 1).tolist() == [0.05] * 3 + [0.5] * 3 + [1]
    assert JOINTS.spread(3, 2, 1).tolist() == [2, 2, 2, 1, 3, 2, 2, 1]


@pytest.mark.parametrize('side', ['left', 'right'])
def test_the_tool_of_each_arm_is_found_by_its_name(side):
    tool = TWO_ARMS.tool(side)
    assert TWO_ARMS.names[tool.translation] == tuple(f'{side}_{a}' for a in 'xyz')
    assert TWO_ARMS.names[tool.rotation] == tuple(f'{side}_{a}' for a in ('roll', 'pitch', 'yaw'))
    assert TWO_ARMS.names[tool.gripper] == f'{side}_gripper'


@pytest.mark.parametrize('space, arm', [(TWO_ARMS, ''), (JOINTS, 'a')])
def test_an_arm_without_a_tool_is_refused(space, arm):
    with pytest.raises(ValueError, match=f"arm '{arm}' of .* has no tool, expected"):
        space.tool(arm)


@pytest.mark.parametrize('space', [END_EFFECTOR, TWO_ARMS, JOINTS])
def test_a_space_survives_a_file(space):
    read = ActionSpace.from_values(json.loads(json.dumps(space.to_values())))
    assert read == space and hash(read) == hash(space)
    assert read.units == space.units
    assert ActionSpace.from_values('end_effector') is END_EFFECTOR


def test_spaces_differ_by_name_and_by_columns():
    assert TWO_ARMS != END_EFFECTOR
    assert ActionSpace('other', END_EFFECTOR.groups) != END_EFFECTOR
    assert END_EFFECTOR != 'end_effector'


@pytest.mark.parametrize(
    'values, message',
    [
        ('three_arms', r"action space is 'three_arms', expected one of \['end_effector'\]"),
        ({'name': 'a'}, r"action space has the keys \['name'\], expected name, groups"),
        (7, 'action space has 7, expected name, groups'),
        ({'name': 'a', 'groups': 'x'}, "groups are 'x', expected a list"),
        ({'name': 3, 'groups': []}, 'name is 3, expected text'),
        ({'name': 'a', 'groups': []}, "action space 'a' has 0 columns"),
        (
            {'name': 'a', 'groups': [{'kind': 'leg', 'names': ['x']}]},
            "kind is 'leg', expected one",
        ),
        ({'name': 'a', 'groups': [{'kind': 'gripper', 'names': 'x'}]}, "names are 'x'"),
        (
            {'name': 'a', 'groups': [{'kind': 'gripper', 'names': [4]}]},
            'column is 4, expected text',
        ),
    ],
)
def test_what_is_no_space_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        ActionSpace.from_values(values)


@pytest.mark.parametrize(
    'build, message',
    [
        (lambda: Group(ColumnKind.TRANSLATION, ('x', 'y')), r"columns \['x', 'y'\], expected 3"),
        (lambda: Group(ColumnKind.GRIPPER, ()), r'columns \[\], expected at least 1 name'),
        (
            lambda: Group(ColumnKind.ROTATION, ('r', 'p', 'y'), unit='m'),
            r"unit of rotation is 'm', expected one of \['rad'\]",
        ),
        (
            lambda: ActionSpace('a', [Group(ColumnKind.GRIPPER, ('g', 'g'))]),
            r"columns are \['g', 'g'\], expected each name once",
        ),
        (
            lambda: ActionSpace(
                'a', [Group(ColumnKind.ROTATION, tuple(names)) for names in ('abc', 'def')]
            ),
            "arm '' has 2 rotations, expected one",
        ),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_actions_and_chunks_have_the_width_of_their_space():
    assert Action(np.zeros(14), space=TWO_ARMS).values.shape == (14,)
    with pytest.raises(ValueError, match=r'action has shape \[7\], expected \[14\]'):
        Action(np.zeros(7), space=TWO_ARMS)
    with pytest.raises(ValueError, match=r'action chunk has shape \[2, 7\], expected \[n, 14\]'):
        ActionChunk(np.zeros((2, 7)), space=TWO_ARMS)
    with pytest.raises(ValueError, match=r'action has shape \[\], expected \[7\]'):
        Action(0.0)
    with pytest.raises(ValueError, match='action chunk has no rows'):
        ActionChunk(np.zeros((0, 14)), space=TWO_ARMS)


def test_values_are_a_copy_that_nobody_can_write():
    given_ = np.zeros(7)
    action = Action(given_)
    given_[:] = 1
    assert not action.values.any()
    with pytest.raises(ValueError, match='read-only'):
        action.values[0] = 1


@pytest.mark.parametrize('value, finite', [(0.0, True), (nan, False), (float('inf'), False)])
def test_a_chunk_says_whether_all_is_finite(value, finite):
    assert ActionChunk([[value] * 7]).finite is finite


def test_a_part_measures_a_vector_by_its_length_and_joints_by_the_largest():
    translation, *_ = END_EFFECTOR.parts
    assert translation.size([3.0, 4.0, 0.0]) == translation.norm(np.array([3.0, 4.0, 0.0])) == 5
    joints = JOINTS.parts[-1]
    assert joints.size([3.0, -4.0]) == joints.norm(np.array([3.0, -4.0])) == 4
    rows = np.arange(14.0).reshape(2, 7)
    assert translation.sizes(rows) == pytest.approx([sqrt(5), sqrt(49 + 64 + 81)])
