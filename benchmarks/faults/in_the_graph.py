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

"""Faults of the nodes that make up the graph, and of what they send one another."""

from __future__ import annotations

from benchmarks.faults.fault import (
    AT_REST,
    BY_DRIVER,
    HELD,
    ITSELF,
    MOVES,
    NO_NEED,
    PARAMETER,
    STARTED,
    of,
)

_CAMERA = 'a_bad_camera_is_zero_in_time_with_its_reason_and_a_good_one_moves_the_arm_again'
_DOWN = 'a_node_that_is_taken_down_is_zero_in_time_and_moves_the_arm_again_when_it_is_up'
_NOTHING_BUT = 'nothing_but_bad_actions_is_zero_in_time_for_that_reason_until_good_ones_come'
_POSE = 'at_the_wall_or_without_a_pose_the_arm_is_held_until_there_is_room_again'
_WATCHED = 'arm_command: watchdog'

ROWS = (
    *of(
        'faults/test_robot_inputs',
        'camera',
        ('no image from any camera', 'camera: no_frame', ITSELF, f'{_CAMERA}[silent]'),
        ('one of two cameras is silent', 'camera: no_frame', ITSELF, f'{_CAMERA}[one eye]'),
        (
            'two cameras take turns, no two images at once',
            'camera: no_frame',
            ITSELF,
            f'{_CAMERA}[apart]',
        ),
        (
            'a driver that sends one image for ever',
            'camera: out_of_order_frame',
            ITSELF,
            f'{_CAMERA}[stuck]',
        ),
        ('stamps 5 s old', 'camera: stale_frame', ITSELF, f'{_CAMERA}[stale]'),
        ('stamps 60 s ahead', 'camera: future_frame', ITSELF, f'{_CAMERA}[future]'),
        ('no stamps', 'camera: unstamped_frame', ITSELF, f'{_CAMERA}[unstamped]'),
        (
            'garbage of 7 kinds: encoding, size, step, data',
            'camera: garbage_frame',
            ITSELF,
            f'{_CAMERA}[garbage]',
        ),
        (
            'garbage amid good images',
            'camera: garbage_frame',
            NO_NEED,
            'garbage_amid_good_images_is_refused_and_the_motion_goes_on',
            MOVES,
        ),
        (
            'views of a size that the model does not take',
            'inference: wrong_frame',
            PARAMETER,
            'frames_of_a_size_that_the_model_does_not_take_are_refused_until_it_is_mended',
        ),
    ),
    *of(
        'faults/test_robot_processes',
        'camera',
        (
            'kill -9 of the camera node',
            'scheduler: no_frame',
            STARTED,
            'the_camera_node_is_killed_and_started_again',
        ),
        (
            'kill -STOP of the driver',
            'camera: no_frame, scheduler: no_frame',
            ITSELF,
            'the_robots_driver_hangs_and_goes_on',
        ),
        (
            'kill -9 of the driver',
            'camera: no_frame',
            STARTED,
            'the_robots_driver_is_killed_and_started_again',
        ),
        (
            'camera deactivated and cleaned up',
            _WATCHED,
            'by itself, once active',
            f'{_DOWN}[camera]',
        ),
    ),
    *of(
        'faults/test_robot_processes',
        'scheduler',
        (
            'SIGTERM',
            _WATCHED,
            STARTED,
            'the_scheduler_is_ended_and_started_again_and_the_arm_is_still_enabled',
        ),
        (
            'kill -9',
            'arm_command: several_publishers',
            'enabled again, once the dead is forgotten',
            'the_scheduler_is_killed_and_started_again_and_enabled_when_the_dead_is_forgotten',
        ),
        (
            'kill -STOP',
            _WATCHED,
            'by itself, with new frames only',
            'the_scheduler_hangs_and_goes_on_with_new_frames_only',
        ),
        ('deactivated and cleaned up', _WATCHED, 'by itself, once active', f'{_DOWN}[scheduler]'),
    ),
    *of(
        'faults/test_robot_inputs',
        'scheduler',
        (
            '`vla/frame` carries no image',
            'scheduler: malformed_message',
            NO_NEED,
            'observations_that_are_no_images_are_refused_and_the_motion_goes_on'
            '[vla/frame-profile0-scheduler-malformed_message]',
            MOVES,
        ),
        (
            '`policy_step` is not that of the checkpoint',
            'scheduler: malformed_message',
            PARAMETER,
            'a_step_that_is_not_the_checkpoints_is_refused_with_what_to_do_about_it',
        ),
    ),
    *of(
        'faults/test_robot_processes',
        'inference',
        (
            'kill -9, as when memory runs out',
            'scheduler: inference_timeout',
            STARTED,
            'the_vla_is_killed_and_started_again_and_nothing_else_has_to_be',
        ),
        ('kill -STOP', 'scheduler: inference_timeout', ITSELF, 'the_vla_hangs_and_goes_on'),
        ('deactivated and cleaned up', _WATCHED, 'by itself, once active', f'{_DOWN}[inference]'),
    ),
    *of(
        'faults/test_robot_inputs',
        'inference',
        (
            'answers of NaN, inf, 5 m and 0.5 m',
            'scheduler: answer_discarded, scheduler: '
            'malformed_message, arm_command: translation_step',
            ITSELF,
            'answers_that_no_arm_should_follow_move_nothing_and_have_their_reason',
        ),
        (
            'a second node answers',
            'scheduler: several_publishers',
            ITSELF,
            'a_second_vla_is_zero_in_time_and_the_arm_moves_again_when_it_is_gone',
        ),
        (
            '`vla/observation` carries no image',
            'inference: wrong_frame',
            NO_NEED,
            'observations_that_are_no_images_are_refused_and_the_motion_goes_on'
            '[vla/observation-profile1-inference-wrong_frame]',
            MOVES,
        ),
        (
            'words that the checkpoint does not know',
            'inference: unknown_instruction',
            'by itself, with a known instruction',
            'an_instruction_that_cannot_be_followed_is_zero_in_time_until_one_can'
            '[juggle the purple elephants-inference-unknown_instruction]',
        ),
    ),
    *of(
        'faults/test_arm_faults',
        'arm_command',
        (
            '20 kinds of bad actions amid good ones',
            'arm_command: nan_or_inf, arm_command: '
            'linear_speed, arm_command: wrong_frame, arm_command: malformed',
            NO_NEED,
            'bad_actions_amid_good_ones_are_refused_by_name_and_the_motion_goes_on',
            MOVES,
        ),
        (
            'every action is NaN',
            'arm_command: nan_or_inf',
            ITSELF,
            f'{_NOTHING_BUT}[nan_or_inf-values0-0.0]',
        ),
        (
            'every action is 5 m',
            'arm_command: translation_step',
            ITSELF,
            f'{_NOTHING_BUT}[translation_step-values1-0.0]',
        ),
        (
            'every action is 1 s old',
            'arm_command: stale',
            ITSELF,
            f'{_NOTHING_BUT}[stale-values2-1.0]',
        ),
        (
            'no action',
            _WATCHED,
            ITSELF,
            'silence_is_zero_in_time_and_the_next_action_moves_the_arm_again',
        ),
        (
            'one action over and over',
            'arm_command: out_of_order',
            ITSELF,
            'the_same_action_over_and_over_is_zero_in_time',
        ),
        (
            'the tool at the wall of the workspace',
            'arm_command: workspace',
            ITSELF,
            f'{_POSE}[workspace-position0-0.05]',
        ),
        ('no tool pose', 'arm_command: no_pose', ITSELF, f'{_POSE}[no_pose-None-0.5]'),
        ('a tool pose of NaN', 'arm_command: no_pose', ITSELF, f'{_POSE}[no_pose-position2-0.5]'),
        (
            '200 valid actions a second',
            'arm_command: translation_per_second',
            ITSELF,
            'a_flood_of_valid_actions_is_held_to_the_limit_per_second',
        ),
    ),
    *of(
        'faults/test_arm_process',
        'arm_command',
        (
            'SIGINT',
            'arm_command: ended',
            'started and enabled again',
            'the_last_word_of_an_arm_command_that_is_ended_is_zero[SIGINT]',
            HELD,
        ),
        (
            'SIGTERM',
            'arm_command: ended',
            'started and enabled again',
            'the_last_word_of_an_arm_command_that_is_ended_is_zero[SIGTERM]',
            HELD,
        ),
        (
            'kill -9 of its launcher',
            'arm_command: ended',
            'started and enabled again',
            'an_arm_whose_launcher_is_killed_stops_with_a_last_zero',
            HELD,
        ),
        (
            'suspended for 1 s, actions cease',
            _WATCHED,
            ITSELF,
            'after_a_suspension_nothing_old_moves_the_arm',
            BY_DRIVER,
        ),
        (
            'suspended for 1 s, actions flow',
            _WATCHED,
            ITSELF,
            'after_a_suspension_with_actions_flowing_the_arm_moves_on_within_the_limits',
            BY_DRIVER,
        ),
    ),
    *of(
        'faults/test_robot_processes',
        'arm_command',
        (
            'kill -9',
            'arm_command: not_enabled',
            'started and enabled again',
            'a_killed_arm_command_leaves_an_arm_that_stops_by_itself_and_comes_back_disabled',
            BY_DRIVER,
        ),
    ),
    *of(
        'nodes/test_camera',
        'camera',
        (
            'a camera topic of a type that is no image',
            'camera: no_frame',
            'by itself, with an image',
            'a_topic_of_a_type_that_is_no_image_is_named_with_it',
            AT_REST,
        ),
    ),
    *of(
        'nodes/test_scheduler_trouble',
        'camera',
        (
            'a camera far slower than the policy',
            'scheduler: slow_frames',
            NO_NEED,
            'slow_frames_and_slow_calls_are_advice_that_ends_when_they_are_fast',
            MOVES,
        ),
    ),
)
