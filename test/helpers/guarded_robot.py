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

"""A robot of joints behind the guard, without ROS, on a clock of its own."""

from joint_robots import SEVEN, row_of, urdf
import numpy as np

from vla_accel_ros.actions import Action
from vla_accel_ros.safety.arm_guard import ArmGuard
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.joint_drive import JointDrive
from vla_accel_ros.safety.joint_limits import JointSettings

MS, STEP_S = 1_000_000, 0.05
CONFIG = GuardConfig(joints=JointSettings(largest_step=(0.3,)))


class Robot:
    """A guard over joints, and joints that are where they are told to be."""

    def __init__(self, space=SEVEN, config=CONFIG, at=0.1, described=None):
        self.space, self.now_ms = space, 0
        drive = JointDrive(space, config)
        self.guard = ArmGuard(config, drive)
        self.at = np.full(len(drive.names), at)
        if described is None:
            drive.describe(urdf(drive.names))
        self.measure()
        self.guard.enable(0)

    def measure(self, age_s=0.0):
        drive = self.guard.drive
        return drive.update_joints(drive.names, tuple(self.at), self.now_ms * MS, age_s)

    def act(self, joints, gripper=0.0, space=None):
        action = Action(
            row_of(self.space, joints, gripper), self.now_ms * MS, space=space or self.space
        )
        return self.guard.accept(action, self.now_ms * MS, STEP_S)

    def tick(self, later_ms=10, follow=True):
        self.now_ms += later_ms
        if follow:
            self.measure()
        command = self.guard.tick(self.now_ms * MS)
        if follow and command.values:
            self.at = np.array(command.values)
        return command
