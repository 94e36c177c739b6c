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
from dataclasses import replace

from vla_accel_ros.nodes.arm_command_kind import COMMANDS, TWIST
from vla_accel_ros.options import Option, options_of
from vla_accel_ros.ros.common_options import ACTION_SPACE, FRAME_ID, REAL_TIME
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.joint_limits import JointSettings
from vla_accel_ros.safety.limits import Limits

# Parameters that are fields, by name: of the guard, and of its limits.
STREAM = {
    'min_rate': 'min_rate_hz',
    'max_rate': 'max_rate_hz',
    'samples_per_action': 'samples_per_action',
    'watchdog_grace': 'grace_s',
    'hold_limit': 'hold_limit_s',
    'late': 'late_s',
}
GRIPPER = {
    'gripper.open_below': 'gripper_open_below',
    'gripper.close_above': 'gripper_close_above',
    'gripper.min_dwell': 'gripper_min_dwell_s',
}
JOINTS = {f'joints.{field.removesuffix("_s")}': field for field in options_of(JointSettings)}
LIMITS = {f'limits.{field.removesuffix("_s")}': field for field in options_of(Limits)}


def _options(cls: type, names: Mapping[str, str]) -> tuple[Option, ...]:
    declared = options_of(cls)
    return tuple(replace(declared[field], name=name) for name, field in names.items())


SETTINGS = (
    Option(
        'command',
        TWIST,
        'What the arm is sent: twists for MoveIt Servo, trajectories for '
        'joint_trajectory_controller, or positions for forward_command_controller',
        choices=COMMANDS,
        when='configure',
    ),
    ACTION_SPACE,
    replace(FRAME_ID, why='Frame that actions, twists and the tool pose are in'),
    Option(
        'max_publishers.action',
        1,
        'Most publishers of vla/action; with more the arm is held. 2 allows a joystick beside '
        'the scheduler',
        range=(1, 16),
    ),
    Option(
        'max_publishers.arm',
        1,
        'Most publishers of each topic that commands the arm or a gripper, this node included; '
        'with more the arm is held. 2 allows a joystick at the arm itself',
        range=(1, 16),
    ),
    Option(
        'ignored_findings',
        ('',),
        'Names of findings that shall not keep the arm from being enabled; each is told on '
        '/diagnostics for as long as it is ignored',
    ),
    *_options(GuardConfig, STREAM),
    Option(
        'command_in_type',
        'speed_units',
        'As Servo is set: speed_units (m/s, rad/s) or unitless (shares of the scales)',
        choices=('speed_units', 'unitless'),
        when='configure',
    ),
    Option(
        'scale.linear',
        0.4,
        'Speed that a unitless 1 means, as Servo is set',
        unit='m/s',
        range=(0.001, 10.0),
        when='configure',
    ),
    Option(
        'scale.rotational',
        0.8,
        'Angular speed that a unitless 1 means, as Servo is set',
        unit='rad/s',
        range=(0.001, 20.0),
        when='configure',
    ),
    *_options(GuardConfig, GRIPPER),
    Option(
        'workspace.enabled',
        True,
        'Refuse displacements of the tool that lead out of the box; needs the tool pose on '
        'ee_pose. Actions of joints are not held to it',
    ),
    Option(
        'workspace.min',
        (0.2, -0.45, 0.0),
        'Lower corner of the box',
        unit='m',
        range=(-10.0, 10.0),
        length=3,
    ),
    Option(
        'workspace.max',
        (0.8, 0.45, 0.6),
        'Upper corner of the box',
        unit='m',
        range=(-10.0, 10.0),
        length=3,
    ),
    *_options(Limits, LIMITS),
    Option(
        'robot_description',
        '',
        'The URDF that has the limits of the joints; empty takes the topic robot_description',
        when='configure',
    ),
    Option(
        'joints.times',
        True,
        'Trajectories have times; off for positions_upsampling, whose policy_frequency is then '
        'to be both min_rate and max_rate',
    ),
    *_options(JointSettings, JOINTS),
    Option(
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
            **{field: settings[name] for name, field in LIMITS.items()},
            workspace_min=settings['workspace.min'] if boxed else None,
            workspace_max=settings['workspace.max'] if boxed else None,
        ),
        joints=JointSettings(**{field: settings[name] for name, field in JOINTS.items()}),
        **{field: settings[name] for name, field in {**STREAM, **GRIPPER}.items()},
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
