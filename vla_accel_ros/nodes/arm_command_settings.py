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


"""The parameters of arm_command, and the guard's configuration that they make."""

from __future__ import annotations

from collections.abc import Mapping

from vla_accel_ros.ros.base import REAL_TIME, Setting
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.limits import Limits

LIMITS, GUARD = Limits(), GuardConfig()

SETTINGS = (
    Setting(
        'frame_id',
        'base_link',
        'Frame that actions, twists and the tool pose are in',
        when='configure',
    ),
    Setting(
        'max_publishers.action',
        1,
        'Most publishers of vla/action; with more the arm is held. 2 allows a joystick beside '
        'the scheduler',
        range=(1, 16),
    ),
    Setting(
        'max_publishers.arm',
        1,
        'Most publishers of servo_node/delta_twist_cmds and of gripper_command, this node '
        'included; with more the arm is held. 2 allows a joystick at the arm itself',
        range=(1, 16),
    ),
    Setting(
        'min_rate',
        GUARD.min_rate_hz,
        'Floor of the twist stream; Servo halts below 20',
        unit='Hz',
        range=(20.0, 200.0),
    ),
    Setting(
        'max_rate',
        GUARD.max_rate_hz,
        'Ceiling of the twist stream',
        unit='Hz',
        range=(20.0, 500.0),
    ),
    Setting(
        'samples_per_action',
        GUARD.samples_per_action,
        'Twists to an action between floor and ceiling: more is smoother',
        range=(1.0, 50.0),
    ),
    Setting(
        'watchdog_grace',
        GUARD.grace_s,
        'Time past an action for the next one to be late before the arm is held',
        unit='s',
        range=(0.001, 0.05),
    ),
    Setting(
        'hold_limit',
        GUARD.hold_limit_s,
        'Longest the consumer holds a twist alone: incoming_command_timeout of Servo',
        unit='s',
        range=(0.05, 1.0),
    ),
    Setting(
        'late',
        GUARD.late_s,
        'How late the next action may come without a dip in the twist; below watchdog_grace',
        unit='s',
        range=(0.0, 0.05),
    ),
    Setting(
        'command_in_type',
        'speed_units',
        'As Servo is set: speed_units (m/s, rad/s) or unitless (shares of the scales)',
        choices=('speed_units', 'unitless'),
        when='configure',
    ),
    Setting(
        'scale.linear',
        0.4,
        'Speed that a unitless 1 means, as Servo is set',
        unit='m/s',
        range=(0.001, 10.0),
        when='configure',
    ),
    Setting(
        'scale.rotational',
        0.8,
        'Angular speed that a unitless 1 means, as Servo is set',
        unit='rad/s',
        range=(0.001, 20.0),
        when='configure',
    ),
    Setting(
        'gripper.open_below',
        GUARD.gripper_open_below,
        'At or below it the gripper opens; the gap to close_above is the hysteresis',
        range=(0.0, 1.0),
    ),
    Setting(
        'gripper.close_above',
        GUARD.gripper_close_above,
        'At or above it the gripper closes',
        range=(0.0, 1.0),
    ),
    Setting(
        'gripper.min_dwell',
        GUARD.gripper_min_dwell_s,
        'Least time between two changes of the gripper, against flicker',
        unit='s',
        range=(0.0, 5.0),
    ),
    Setting(
        'workspace.enabled',
        True,
        'Refuse actions that lead out of the box; needs the tool pose on ee_pose',
    ),
    Setting(
        'workspace.min',
        [0.2, -0.45, 0.0],
        'Lower corner of the box',
        unit='m',
        range=(-10.0, 10.0),
        length=3,
    ),
    Setting(
        'workspace.max',
        [0.8, 0.45, 0.6],
        'Upper corner of the box',
        unit='m',
        range=(-10.0, 10.0),
        length=3,
    ),
    Setting(
        'limits.max_pose_age',
        LIMITS.max_pose_age_s,
        'An older tool pose counts as none while the box is on',
        unit='s',
        range=(0.01, 5.0),
    ),
    Setting(
        'limits.translation_step',
        LIMITS.translation_step,
        'Largest displacement of one action',
        unit='m',
        range=(0.0001, 1.0),
    ),
    Setting(
        'limits.rotation_step',
        LIMITS.rotation_step,
        'Largest rotation of one action',
        unit='rad',
        range=(0.0001, 3.1416),
    ),
    Setting(
        'limits.linear_speed',
        LIMITS.linear_speed,
        'Largest speed of an action and of the twist',
        unit='m/s',
        range=(0.001, 5.0),
    ),
    Setting(
        'limits.angular_speed',
        LIMITS.angular_speed,
        'Largest angular speed of an action and of the twist',
        unit='rad/s',
        range=(0.001, 20.0),
    ),
    Setting(
        'limits.translation_per_second',
        LIMITS.translation_per_second,
        'Largest path over any second',
        unit='m',
        range=(0.001, 5.0),
    ),
    Setting(
        'limits.rotation_per_second',
        LIMITS.rotation_per_second,
        'Largest turn over any second',
        unit='rad',
        range=(0.001, 20.0),
    ),
    Setting(
        'limits.linear_acceleration',
        LIMITS.linear_acceleration,
        'Largest change of velocity from action to action over its step; braking is free',
        unit='m/s^2',
        range=(0.01, 1000.0),
    ),
    Setting(
        'limits.angular_acceleration',
        LIMITS.angular_acceleration,
        'Largest change of angular velocity, likewise',
        unit='rad/s^2',
        range=(0.01, 10000.0),
    ),
    Setting(
        'limits.max_age',
        LIMITS.max_age_s,
        'Actions with an older capture stamp are stale',
        unit='s',
        range=(0.01, 5.0),
    ),
    Setting(
        'limits.max_future',
        LIMITS.max_future_s,
        'Actions stamped further ahead of the clock are refused',
        unit='s',
        range=(0.0001, 5.0),
    ),
    Setting(
        'limits.min_step',
        LIMITS.min_step_s,
        'Shortest policy step accepted',
        unit='s',
        range=(0.001, 1.0),
    ),
    Setting(
        'limits.max_step',
        LIMITS.max_step_s,
        'Longest policy step accepted: it bounds how long one action moves the arm',
        unit='s',
        range=(0.01, 2.0),
    ),
    Setting(
        'clock_patience',
        0.5,
        'With use_sim_time: a clock that stands still for longer stops the arm, for the watchdog '
        'stands still with it; longer for who steps slowly',
        unit='s',
        range=(0.1, 600.0),
    ),
    REAL_TIME,
)


def guard_config(settings: Mapping[str, object]) -> GuardConfig:
    """Return the guard's configuration.

    Raises:
        ValueError: When the values do not fit together.
    """
    boxed = settings['workspace.enabled']
    config = GuardConfig(
        limits=Limits(
            translation_step=settings['limits.translation_step'],
            rotation_step=settings['limits.rotation_step'],
            linear_speed=settings['limits.linear_speed'],
            angular_speed=settings['limits.angular_speed'],
            translation_per_second=settings['limits.translation_per_second'],
            rotation_per_second=settings['limits.rotation_per_second'],
            linear_acceleration=settings['limits.linear_acceleration'],
            angular_acceleration=settings['limits.angular_acceleration'],
            workspace_min=tuple(settings['workspace.min']) if boxed else None,
            workspace_max=tuple(settings['workspace.max']) if boxed else None,
            max_pose_age_s=settings['limits.max_pose_age'],
            max_age_s=settings['limits.max_age'],
            max_future_s=settings['limits.max_future'],
            min_step_s=settings['limits.min_step'],
            max_step_s=settings['limits.max_step'],
        ),
        grace_s=settings['watchdog_grace'],
        hold_limit_s=settings['hold_limit'],
        late_s=settings['late'],
        min_rate_hz=settings['min_rate'],
        max_rate_hz=settings['max_rate'],
        samples_per_action=settings['samples_per_action'],
        gripper_open_below=settings['gripper.open_below'],
        gripper_close_above=settings['gripper.close_above'],
        gripper_min_dwell_s=settings['gripper.min_dwell'],
    )
    if settings['command_in_type'] == 'unitless':
        for limit, scale in (
            ('limits.linear_speed', 'scale.linear'),
            ('limits.angular_speed', 'scale.rotational'),
        ):
            if settings[limit] > settings[scale]:
                raise ValueError(
                    f'{limit} = {settings[limit]} is above {scale} = {settings[scale]}: '
                    'unitless commands end at 1'
                )
    return config
