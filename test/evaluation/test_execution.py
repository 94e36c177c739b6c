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

"""Displacement is conserved, whenever actions are sent."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
from spaces import JOINTS

from vla_accel_ros.evaluation.execution import Execution

STEP, START = 50_000_000, 1_000_000_000


def action(x, gripper=0.0):
    return np.array([x, 0, 0, 0, 0, 0, gripper])


def test_actions_that_are_sent_with_their_frames_are_executed_to_the_bit():
    execution, drawn = Execution(STEP, START), np.random.default_rng(1).normal(size=(9, 7))
    for index, row in enumerate(drawn):
        execution.send(row, START + index * STEP)
        assert (execution.take() == row).all()


def test_a_late_action_moves_into_the_next_step():
    execution = Execution(STEP, START)
    execution.send(action(1.0), START + STEP // 5)
    assert np.isclose(execution.take()[0], 0.8)
    assert np.isclose(execution.take()[0], 0.2)
    assert (execution.take() == 0).all()


def test_the_gripper_acts_from_the_nearer_end_of_the_step_and_stays():
    execution = Execution(STEP, START)
    execution.send(action(0, gripper=1.0), START + STEP // 4)
    assert execution.take()[6] == 1
    execution.send(action(0, gripper=0.0), START + STEP + 3 * STEP // 4)
    assert execution.take()[6] == 1
    assert execution.take()[6] == 0
    assert execution.take()[6] == 0


@given(
    st.lists(
        st.tuples(st.floats(-0.03, 0.03), st.one_of(st.none(), st.integers(0, STEP - 1))),
        max_size=20,
    )
)
def test_nothing_is_lost_and_nothing_is_added(sent):
    execution, moved = Execution(STEP, START), 0.0
    for index, (x, offset) in enumerate(sent):
        if offset is not None:
            execution.send(action(x), START + index * STEP + offset)
        moved += execution.take()[0]
    moved += execution.take()[0] + execution.take()[0]
    assert np.isclose(moved, sum(x for x, offset in sent if offset is not None), atol=1e-12)


def test_of_other_columns_displacements_are_spread_and_the_rest_is_taken_over():
    execution, row = Execution(STEP, START, JOINTS), np.full(JOINTS.width, 1.0)
    execution.send(row, START + STEP // 5)
    first, second = execution.take(), execution.take()
    np.testing.assert_allclose(first[JOINTS.displacements], 0.8)
    np.testing.assert_allclose(second[JOINTS.displacements], 0.2)
    for taken in (first, second):
        assert (taken[JOINTS.positions] == 1).all() and (taken[JOINTS.grippers] == 1).all()
