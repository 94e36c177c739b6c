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

"""The parameters of the simulated arm."""

from __future__ import annotations

from dataclasses import replace

from vla_accel_ros.nodes.arm_command_kind import COMMANDS, TWIST
from vla_accel_ros.options import Option
from vla_accel_ros.ros.common_options import FRAME_ID

ONE_ARM, TWO_ARMS = ROBOTS = ('one_arm', 'two_arms')
# Topics of each: of the images, of the tools' poses, of the grippers' commands.
IMAGES = {
    ONE_ARM: ('image_raw', 'wrist/image_raw'),
    TWO_ARMS: ('image_raw', 'left_wrist/image_raw', 'right_wrist/image_raw'),
}
POSES = {ONE_ARM: ('ee_pose',), TWO_ARMS: ('left_ee_pose', 'right_ee_pose')}
GRIPPERS = {
    ONE_ARM: ('gripper_command',),
    TWO_ARMS: ('left_gripper_command', 'right_gripper_command'),
}

SETTINGS = (
    Option(
        'robot',
        ONE_ARM,
        'The arm with seven joints, or two arms with six joints each, which take commands of '
        'joints and have no tasks',
        choices=ROBOTS,
        when='configure',
    ),
    Option(
        'command',
        TWIST,
        'What moves the arm: twists, as MoveIt Servo takes them, or joint positions, as the two '
        'controllers of ros2_control do; the same as of arm_command',
        choices=COMMANDS,
        when='configure',
    ),
    Option(
        'seed', 0, 'Decides the next reset: where cubes, bin and arm start', range=(0, 2**31 - 1)
    ),
    Option('task', '', 'Instruction of the next reset; empty lets the seed draw one'),
    Option(
        'image_size',
        128,
        'Side of the camera images; the camera node scales them anyway',
        unit='px',
        range=(32, 512),
        when='configure',
    ),
    Option(
        'coarse',
        False,
        'Draw with rough edges and few facets, at a fifth of the cost; no policy was trained on '
        'such pictures',
        when='configure',
    ),
    Option(
        'command_timeout',
        0.1,
        'Twists older than this by stamp are dropped, as Servo does',
        unit='s',
        range=(0.05, 1.0),
        when='configure',
    ),
    replace(FRAME_ID, why='Frame that twists and poses are in'),
    Option(
        'real_time',
        True,
        'Step at 20 Hz; off to step by ~/step and drive /clock',
        when='configure',
    ),
)
