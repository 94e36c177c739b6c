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


"""SpecPrune-VLA's action-aware controller: it tells fine work from coarse work.

Two users ask it: the pruner `specprune` keeps more tokens for fine work, and the pilot asks the
VLA afresh in mid-chunk when work becomes fine. Plain Python, without torch.
"""

from __future__ import annotations

from enum import Enum

from vla_accel_ros.motion import Motion

# Below both speeds, m/s and rad/s, work is fine (ours; the paper's are not at hand).
FINE_LINEAR, FINE_ANGULAR = 0.16, 0.7


class Mode(str, Enum):
    """What the arm is doing: fine work (slow) or coarse work (fast)."""

    FINE = 'fine'
    COARSE = 'coarse'


class Controller:
    """Tell fine from coarse work by the speed of the last action, with hysteresis.

    Fine is entered when both speeds are below their thresholds and the arm does not rise
    (dz <= 0), and left when either exceeds its threshold (SpecPrune-VLA). Between the two the
    mode stays. An episode begins fine, for nothing is known of its motion (ours).

    Args:
        linear: Threshold on the end effector's speed, m/s.
        angular: Threshold on its angular speed, rad/s.
        margin: Fine is left above `margin` times a threshold; 1 is the paper's.
    """

    def __init__(
        self, linear: float = FINE_LINEAR, angular: float = FINE_ANGULAR, margin: float = 1.0
    ) -> None:
        self.configure(linear, angular, margin)
        self.reset()

    def configure(self, linear: float, angular: float, margin: float = 1.0) -> None:
        """Change the thresholds; the mode stays until the next action."""
        self.linear, self.angular, self.margin = linear, angular, margin

    def reset(self) -> None:
        """Begin an episode."""
        self.mode = Mode.FINE
        self.became_fine = False

    def update(self, motion: Motion | None) -> Mode:
        """Take the last action's motion, None when unknown, and give the mode."""
        if motion is None:
            self.became_fine = False
            return self.mode
        return self.see(motion.linear_speed, motion.angular_speed, motion.vertical_speed > 0)

    def see(self, linear: float, angular: float, rising: bool = False) -> Mode:
        """Take the last action's speeds and give the mode.

        Args:
            linear: m/s; 0 where nothing is in metres.
            angular: rad/s, of joints the fastest one's.
            rising: Whether the tool rises, where that is known.
        """
        before = self.mode
        if self.mode is Mode.FINE:
            if linear > self.margin * self.linear or angular > self.margin * self.angular:
                self.mode = Mode.COARSE
        elif linear < self.linear and angular < self.angular and not rising:
            self.mode = Mode.FINE
        self.became_fine = before is Mode.COARSE and self.mode is Mode.FINE
        return self.mode
