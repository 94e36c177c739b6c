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

"""Faults of what the nodes stand on: checkpoints, disk, memory, engines; and of operators."""

from __future__ import annotations

from benchmarks.faults.fault import AT_REST, ENABLED, GOOD, HELD, MOVES, NO_NEED, of

_BAD_VALUE = 'an_invalid_parameter_is_refused_with_a_reason_and_the_motion_goes_on'
_NO_ROOM = 'without_disk_memory_or_handles_the_motion_goes_on_and_is_zero_in_time'
_CHECKPOINT = 'a_bad_checkpoint_is_refused_by_name_at_rest_and_the_good_one_moves_the_arm_again'
_IMPOSSIBLE = 'a_node_refuses_an_impossible_transition_by_name_and_the_motion_goes_on'

ROWS = (
    *of(
        'faults/test_robot_processes',
        'checkpoints',
        ('the folder is not there', 'inference: configure_failed', GOOD, _CHECKPOINT),
        ('NaN in the statistics', 'inference: configure_failed', GOOD, _CHECKPOINT),
        ('weights cut off', 'inference: configure_failed', GOOD, _CHECKPOINT),
        ('weights are a git-lfs pointer', 'inference: configure_failed', GOOD, _CHECKPOINT),
        ('config.json of another shape', 'inference: configure_failed', GOOD, _CHECKPOINT),
    ),
    *of(
        'nodes/test_arm_command_findings',
        'checkpoints',
        (
            'another checkpoint that does not fit the robot',
            'arm_command: does_not_fit',
            'by itself, with one that fits',
            'an_arm_in_motion_is_held_while_another_checkpoint_does_not_fit',
            HELD,
        ),
    ),
    *of(
        'faults/test_arm_process',
        'disk',
        ('no room for the log of arm_command', '', NO_NEED, _NO_ROOM),
    ),
    *of(
        'ros/test_log_folder',
        'disk',
        ('no home folder that can be written', '', NO_NEED, 'ros_comes_up_without_a_home', MOVES),
    ),
    *of(
        'engines/test_store',
        'disk',
        (
            'no room for an engine',
            '',
            'runs on eager',
            'a_full_disk_is_refused_and_nothing_is_left',
            AT_REST,
        ),
    ),
    *of(
        'faults/test_arm_process',
        'memory',
        ('no more memory for arm_command', '', NO_NEED, _NO_ROOM),
        ('no more file handles for arm_command', '', NO_NEED, _NO_ROOM),
    ),
    *of(
        'nodes/test_inference_engine',
        'engines',
        (
            'an engine that cannot run',
            'inference: engine_fallback',
            'runs on eager',
            'what_cannot_run_or_lies_gives_way_and_diagnostics_say_why[fails-no such card]',
            AT_REST,
        ),
        (
            'an engine whose answers differ',
            'inference: engine_fallback',
            'runs on eager',
            'what_cannot_run_or_lies_gives_way_and_diagnostics_say_why[<lambda>-agree with]',
            AT_REST,
        ),
        (
            'an engine that is required cannot run',
            'inference: configure_failed',
            'mended and configured',
            'a_required_engine_that_cannot_run_fails_configure',
            AT_REST,
        ),
    ),
    *of(
        'faults/test_robot_processes',
        'engines',
        (
            'an engine that is not there, while moving',
            'inference: invalid_parameter',
            NO_NEED,
            f'{_BAD_VALUE}[inference-bad10]',
            MOVES,
        ),
    ),
    *of(
        'faults/test_arm_operator',
        'operators',
        (
            'stop in mid motion',
            'arm_command: stop_requested',
            ENABLED,
            'stop_in_mid_motion_holds_until_enabled_however_many_actions_come',
        ),
        (
            'disabled in mid motion',
            'arm_command: not_enabled',
            ENABLED,
            'disabling_in_mid_motion_holds_until_enabled_however_many_actions_come',
        ),
        (
            'enabled five times in mid motion',
            '',
            NO_NEED,
            'enabling_again_and_again_in_mid_motion_keeps_to_the_limits',
            MOVES,
        ),
        (
            'stop and enable in quick turn',
            '',
            ENABLED,
            'stop_and_enable_in_quick_turn_never_move_a_stopped_arm',
            MOVES,
        ),
        (
            'arm_command deactivated in mid motion',
            'arm_command: deactivated',
            'activated and enabled',
            'deactivating_in_mid_motion_is_zero_and_activating_does_not_enable',
        ),
    ),
    *of(
        'faults/test_robot_processes',
        'operators',
        (
            'the table laid anew in mid motion',
            '',
            NO_NEED,
            'the_table_is_laid_anew_in_mid_motion_again_and_again',
            MOVES,
        ),
        (
            'transitions that cannot be',
            'scheduler: invalid_transition',
            NO_NEED,
            f'{_IMPOSSIBLE}[scheduler]',
            MOVES,
        ),
    ),
    *of(
        'faults/test_robot_inputs',
        'operators',
        (
            'an empty instruction',
            'scheduler: no_instruction',
            'by itself, with an instruction',
            'an_instruction_that_cannot_be_followed_is_zero_in_time_until_one_can'
            '[-scheduler-no_instruction]',
        ),
    ),
    *of(
        'nodes/test_arm_command_masters',
        'operators',
        (
            'enabled while the scheduler lacks frame, instruction and answer',
            'arm_command: no_pose, scheduler: no_frame, scheduler: no_instruction, '
            'scheduler: no_answer',
            'enabled, once nothing is lacking',
            'a_refused_enable_lists_what_the_scheduler_lacks_until_it_lacks_nothing',
            AT_REST,
        ),
    ),
)
