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

"""Faults of two arms that are commanded by joint positions, and of goals."""

from __future__ import annotations

from benchmarks.faults.fault import AT_REST, BY_DRIVER, ENABLED, HELD, ITSELF, MOVES, NO_NEED, of

_BAD = 'nothing_but_bad_actions_holds_what_is_measured_until_good_ones_come'
_STATES = 'joint_states_that_say_nothing_end_the_motion_and_name_the_joints'
_HALT = 'a_halt_by_the_operator_holds_what_is_measured_until_the_arms_are_enabled'
_STARTED = 'started and enabled again'
_NEW_GOAL = 'with a new goal'

ROWS = (
    *of(
        'faults/test_joint_faults',
        'joints',
        (
            '14 kinds of bad actions amid good ones',
            'arm_command: nan_or_inf, arm_command: jump, arm_command: joint_position, '
            'arm_command: joint_velocity, arm_command: joint_acceleration, arm_command: malformed',
            NO_NEED,
            'bad_actions_amid_good_ones_are_refused_by_name_and_the_arms_move_on',
            MOVES,
        ),
        ('every action is NaN', 'arm_command: nan_or_inf', ITSELF, f'{_BAD}[nan_or_inf]'),
        (
            'every action is 0.8 rad from where the arms are',
            'arm_command: jump',
            ITSELF,
            f'{_BAD}[jump]',
        ),
        ('every action is 1 s old', 'arm_command: stale', ITSELF, f'{_BAD}[stale]'),
        (
            'no action',
            'arm_command: watchdog',
            ITSELF,
            'silence_holds_what_is_measured_and_the_next_action_moves_the_arms_again',
        ),
        (
            'the first action is 1 rad from the start pose',
            'arm_command: jump',
            ITSELF,
            'a_wrong_start_pose_is_refused_with_both_numbers_and_moves_nothing',
            AT_REST,
        ),
        ('no joint states', 'arm_command: joints_stale', ITSELF, f'{_STATES}[silent]'),
        (
            'joint states without one joint',
            'arm_command: joints_stale',
            ITSELF,
            f'{_STATES}[one missing]',
        ),
        ('joint states of NaN', 'arm_command: joints_stale', ITSELF, f'{_STATES}[nan]'),
        (
            'a second publisher of joint states, 1.5 rad off',
            'arm_command: joints_leap',
            ENABLED,
            'a_second_publisher_of_joint_states_ends_the_motion_and_moves_no_joint_to_where_it_'
            'says',
        ),
        (
            'arms that are pushed and do not follow',
            'arm_command: left_behind',
            ITSELF,
            'arms_that_do_not_follow_are_held_where_they_are',
        ),
        (
            '`robot_description` without one joint',
            'arm_command: no_joint_limits',
            ITSELF,
            'a_description_without_a_joint_ends_the_motion_until_one_comes_with_all',
        ),
        (
            'a second publisher sends actions of joints',
            'arm_command: several_publishers',
            ENABLED,
            'a_second_publisher_of_actions_holds_the_arms_until_they_are_enabled_again',
        ),
        (
            'a silent stranger at the joint topic',
            'arm_command: several_publishers',
            ENABLED,
            'a_silent_stranger_at_the_joints_holds_them_until_it_is_gone_and_they_are_enabled',
        ),
        ('stop in mid motion', 'arm_command: stop_requested', ENABLED, f'{_HALT}[stop]'),
        ('disabled in mid motion', 'arm_command: not_enabled', ENABLED, f'{_HALT}[disable]'),
        (
            'SIGTERM of arm_command',
            'arm_command: ended',
            _STARTED,
            'the_last_word_of_an_arm_command_that_is_ended_is_what_is_measured',
            HELD,
        ),
    ),
    *of(
        'faults/test_goals',
        'goals',
        (
            'cancel in mid motion',
            'arm_command: not_enabled',
            _NEW_GOAL,
            'a_goal_moves_the_arm_and_cancel_holds_it_within_the_watchdogs_bound',
        ),
        (
            'cancel while the model is loading',
            '',
            _NEW_GOAL,
            'cancel_while_the_model_is_loading_never_enables_the_arm',
            AT_REST,
        ),
        (
            'the client dies',
            'arm_command: not_enabled',
            _NEW_GOAL,
            'a_client_that_dies_has_its_goal_canceled_and_the_arm_held',
        ),
        (
            'kill -9 of the scheduler',
            'arm_command: watchdog',
            _NEW_GOAL,
            'a_scheduler_that_is_killed_leaves_an_arm_that_rests_and_does_not_go_on_by_itself',
        ),
        (
            'kill -9 of arm_command',
            'arm_command: not_enabled',
            _NEW_GOAL,
            'an_arm_command_that_is_killed_aborts_the_goal_and_comes_back_disabled',
            BY_DRIVER,
        ),
        (
            'stop by the operator',
            'arm_command: stop_requested',
            _NEW_GOAL,
            'a_stop_by_the_operator_aborts_the_goal_and_the_arm_stays_stopped',
        ),
    ),
)
