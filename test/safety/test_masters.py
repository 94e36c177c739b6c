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

"""Who may move the arm: the text that holds it, and the guard that is held."""

import pytest

from vla_accel_ros.actions import Action
from vla_accel_ros.safety.arm_guard import ArmGuard
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.interlock import State
from vla_accel_ros.safety.limits import Limits
from vla_accel_ros.safety.masters import HINT, Publishers, too_many
from vla_accel_ros.safety.stream import ZERO

NS = 1_000_000_000
MOVE = [0.01, 0.0, 0.0, 0.0, 0.0, 0.02, 0.0]


@pytest.mark.parametrize(
    ('topics', 'said'),
    [
        ([], ''),
        ([Publishers('/vla/action', 0, 1), Publishers('/twist', 1, 1)], ''),
        ([Publishers('/vla/action', 2, 2, 'max')], ''),
        (
            [Publishers('/vla/action', 3, 1, 'max', ('/b', '/a'))],
            f'3 publish /vla/action (/a, /b), at most 1 may (max); {HINT}',
        ),
        (
            [Publishers('/a', 2, 1), Publishers('/b', 1, 1), Publishers('/c', 4, 3)],
            f'2 publish /a, at most 1 may; 4 publish /c, at most 3 may; {HINT}',
        ),
    ],
)
def test_topics_with_too_many_publishers_are_named_with_count_and_nodes(topics, said):
    assert too_many(topics) == said


def test_several_masters_stop_a_moving_arm_at_once_and_refuse_every_action():
    guard = ArmGuard()
    guard.enable(0)
    assert guard.accept(Action(MOVE, 1), 1, 0.5) is None
    assert any(guard.tick(2).values)
    assert guard.note_masters('2 publish it')
    assert not guard.note_masters('2 publish it')
    command = guard.tick(3)
    assert (command.values, command.state, command.reason) == (
        ZERO,
        State.STOPPED,
        'several_publishers',
    )
    refusal = guard.accept(Action(MOVE, 4), 4, 0.05)
    assert refusal == ('several_publishers', '2 publish it')


def test_when_one_master_is_left_the_arm_stays_stopped_until_enabled():
    guard = ArmGuard()
    guard.enable(0)
    guard.note_masters('two')
    assert [o.reason for o in guard.obstacles(1)] == ['several_publishers']
    assert not guard.note_masters('')
    assert guard.accept(Action(MOVE, 1), 1, 0.05).reason == 'not_enabled'
    assert guard.obstacles(1) == []
    guard.enable(2)
    assert guard.accept(Action(MOVE, 3), 3, 0.05) is None


def test_an_arm_enabled_in_spite_of_several_masters_still_takes_no_action():
    guard = ArmGuard()
    guard.note_masters('two')
    guard.enable(0)
    assert guard.accept(Action(MOVE, 1), 1, 0.05).reason == 'several_publishers'
    assert guard.tick(2).values == ZERO


def test_with_the_box_on_a_fresh_pose_is_asked_for():
    guard = ArmGuard(
        GuardConfig(
            limits=Limits(workspace_min=(0, 0, 0), workspace_max=(1, 1, 1), max_pose_age_s=0.5)
        )
    )
    assert [o.reason for o in guard.obstacles(0)] == ['no_pose']
    guard.drive.update_pose((0.5, 0.5, 0.5), NS)
    assert guard.obstacles(NS) == []
    assert [o.reason for o in guard.obstacles(2 * NS)] == ['no_pose']
    assert ArmGuard().obstacles(0) == []
