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

"""Parameters that several nodes have; knows no ROS."""

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.options import Option

AUTOSTART = Option(
    'autostart',
    True,
    'Configure and activate when the process comes up; off to be driven by hand or a manager',
    when='start',
)
# Of the nodes on the way from camera to arm, whose process `spin.run` then raises.
REAL_TIME = Option(
    'real_time_priority',
    True,
    'Run before ordinary processes where the system permits it (SCHED_FIFO, else nice)',
    when='start',
)
FRAME_ID = Option(
    'frame_id',
    'base_link',
    'Frame that actions are expressed in: that of arm_command',
    when='configure',
)
ACTION_SPACE = Option(
    'action_space',
    END_EFFECTOR.name,
    'What the columns of an action are: end_effector, or a .json file that says it; the same for '
    'scheduler and arm_command',
    when='configure',
)
SILENCE = Option(
    'silence',
    0.5,
    'After so long without a frame the node reports `no_frame`',
    unit='s',
    range=(0.1, 60.0),
)
