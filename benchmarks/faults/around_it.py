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

"""Faults of what the nodes stand in: network, clocks, parameters."""

from __future__ import annotations

from benchmarks.faults.fault import (
    AT_REST,
    ENABLED,
    HELD,
    ITSELF,
    MOVES,
    NO_NEED,
    PARAMETER,
    STARTED,
    STEADY,
    of,
)

_BAD_VALUE = 'an_invalid_parameter_is_refused_with_a_reason_and_the_motion_goes_on'
_NONSENSE = 'nonsense_of_the_server_never_reaches_the_arm'
_ACT = 'an_answer_of_openvlas_server_that_cannot_be_used_is_named_too'
_STRANGER = 'a_silent_stranger_at_the_arm_holds_it_until_he_is_gone_and_it_is_enabled'

ROWS = (
    *of(
        'faults/test_arm_operator',
        'network',
        (
            'a second publisher sends actions',
            'arm_command: several_publishers',
            ENABLED,
            'whoever_sends_actions_beside_the_scheduler_moves_nothing_and_the_arm_is_held',
        ),
        ('a silent stranger at the twists', 'arm_command: several_publishers', ENABLED, _STRANGER),
        (
            'a silent stranger at the gripper',
            'arm_command: several_publishers',
            ENABLED,
            _STRANGER,
        ),
        (
            'a publisher of another type at `vla/action`',
            'arm_command: several_publishers',
            ENABLED,
            _STRANGER,
        ),
    ),
    *of(
        'faults/test_remote_server',
        'network',
        (
            'the policy server is killed',
            'inference: remote_unreachable',
            STARTED,
            'the_server_is_killed_and_started_again_and_no_node_has_to_be',
        ),
        (
            'the policy server hangs',
            'inference: remote_timeout',
            ITSELF,
            'the_server_hangs_and_goes_on',
        ),
        (
            'the policy server answers NaN',
            'inference: model_not_finite',
            ITSELF,
            f'{_NONSENSE}[nan-model_not_finite]',
        ),
        (
            'the policy server answers a gripper out of its range',
            'inference: remote_wrong_answer',
            ITSELF,
            f'{_NONSENSE}[opened-remote_wrong_answer]',
        ),
        (
            'the policy server answers a text',
            'inference: remote_refused',
            ITSELF,
            f'{_NONSENSE}[text-remote_refused]',
        ),
        (
            'the policy server answers too many columns',
            'inference: remote_wrong_answer',
            ITSELF,
            f'{_NONSENSE}[wide-remote_wrong_answer]',
        ),
    ),
    *of(
        'network/test_link',
        'network',
        (
            '20 ms each way between the robot and inference',
            '',
            NO_NEED,
            '20_ms_each_way_are_bridged_and_observations_are_compressed',
            MOVES,
        ),
        (
            'the link to inference is cut for 0.2 s',
            '',
            ITSELF,
            'a_cut_link_holds_the_arm_in_time_and_it_goes_on_by_itself[0.2]',
            MOVES,
        ),
        (
            'the link to inference is cut for 5 s',
            'scheduler: inference_timeout',
            ITSELF,
            'a_cut_link_holds_the_arm_in_time_and_it_goes_on_by_itself[5.0]',
        ),
        (
            '700 ms each way between the robot and inference',
            'scheduler: answer_discarded',
            ITSELF,
            'answers_that_come_too_late_are_named_and_move_nothing',
        ),
    ),
    *of(
        'nodes/test_scheduler_clock',
        'clocks',
        (
            "the clock of inference's host is 30 s ahead",
            'scheduler: clock_offset',
            'by itself, clock set back',
            'a_clock_that_is_off_is_named_and_its_answers_are_not_used',
            AT_REST,
        ),
    ),
    *of(
        'faults/test_arm_process',
        'network',
        (
            '2000 packets of garbage at the ports of the domain',
            '',
            NO_NEED,
            'garbage_at_every_port_of_the_domain_stops_nothing',
            MOVES,
        ),
    ),
    *of(
        'nodes/test_arm_command_masters',
        'network',
        (
            'a second arm_command at the same arm',
            'arm_command: several_publishers',
            ENABLED,
            'two_arm_commands_at_one_arm_hold_both',
            HELD,
        ),
        (
            'a second publisher of the tool pose',
            'arm_command: pose_of_several',
            ITSELF,
            'no_pose_counts_while_two_tell_where_the_tool_is',
            AT_REST,
        ),
    ),
    *of(
        'faults/test_arm_clock',
        'clocks',
        (
            'no `/clock`',
            'arm_command: no_clock',
            'enabled, once it comes',
            'without_a_clock_the_arm_cannot_be_enabled',
            AT_REST,
        ),
        (
            '`/clock` stands still',
            'arm_command: clock_frozen',
            ENABLED,
            'a_clock_that_stands_still_stops_the_arm_until_it_is_enabled',
            STEADY,
        ),
        (
            '`/clock` is set back by 10 s',
            'arm_command: clock_reset',
            ENABLED,
            'a_clock_that_is_set_back_stops_the_arm_until_it_is_enabled',
            HELD,
        ),
        (
            '`/clock` leaps ahead by 10 s',
            'arm_command: watchdog',
            ITSELF,
            'a_clock_that_leaps_ahead_leaves_no_motion_behind',
            HELD,
        ),
    ),
    *of(
        'faults/test_robot_processes',
        'parameters',
        (
            'camera: `image_size` -1 while moving',
            'camera: invalid_parameter',
            NO_NEED,
            f'{_BAD_VALUE}[camera-bad0]',
            MOVES,
        ),
        (
            'scheduler: `policy_step` 9 s while moving',
            'scheduler: invalid_parameter',
            NO_NEED,
            f'{_BAD_VALUE}[scheduler-bad5]',
            MOVES,
        ),
        (
            'inference: another checkpoint while moving',
            'inference: invalid_parameter',
            NO_NEED,
            f'{_BAD_VALUE}[inference-bad8]',
            MOVES,
        ),
    ),
    *of(
        'faults/test_arm_operator',
        'parameters',
        (
            'arm_command: a speed limit of NaN while moving',
            'arm_command: invalid_parameter',
            NO_NEED,
            'an_invalid_parameter_is_refused_with_its_value_and_the_motion_goes_on[bad1-said1]',
            MOVES,
        ),
        (
            'a limit lowered below the actions',
            'arm_command: translation_step',
            PARAMETER,
            'a_limit_that_is_lowered_in_mid_motion_holds_at_once',
        ),
    ),
    *of(
        'faults/test_arm_process',
        'parameters',
        (
            'arm_command starts with a bad value',
            'arm_command: invalid_parameter',
            'mended, configured and enabled',
            'an_arm_command_with_a_bad_parameter_says_so_and_can_be_mended',
            AT_REST,
        ),
    ),
    *of(
        'graph/test_processes',
        'parameters',
        (
            'the parameter file is damaged while the nodes run',
            '',
            NO_NEED,
            'a_node_gets_what_was_read_in_the_parameter_file_whatever_becomes_of_that',
            AT_REST,
        ),
        (
            'a file whose values do not fit together',
            '',
            'nothing is started',
            'values_that_do_not_fit_together_are_refused_before_anything_starts',
            AT_REST,
        ),
    ),
    *of(
        'nodes/test_inference_lerobot',
        'servers',
        (
            "LeRobot's policy server answers a pickle that runs a command",
            'inference: remote_wrong_answer',
            ITSELF,
            'an_answer_that_would_run_a_command_is_named_and_nothing_comes_of_it',
            AT_REST,
        ),
        (
            "LeRobot's policy server is killed",
            'inference: remote_unreachable',
            STARTED,
            'a_dead_server_is_a_standing_fault_and_loads_the_policy_again',
            AT_REST,
        ),
        (
            "LeRobot's policy server loads its policy for long",
            'inference: remote_unreachable',
            ITSELF,
            'a_policy_that_is_loaded_slowly_is_told_of_while_the_node_is_active',
            AT_REST,
        ),
    ),
    *of(
        'nodes/test_inference_remote',
        'servers',
        *(
            (
                f"OpenVLA's server {done}",
                f'inference: {reason}',
                ITSELF,
                f'{_ACT}[{case}-{reason}]',
                AT_REST,
            )
            for done, reason, case in (
                ('answers more numbers than an action has', 'remote_wrong_answer', 'wide'),
                ('answers no JSON', 'remote_wrong_answer', 'html'),
                ('answers that it failed', 'remote_refused', 'error'),
                ('drips its answer', 'remote_timeout', 'head drips'),
                ('dies within its answer', 'remote_unreachable', 'dies'),
            )
        ),
    ),
)
