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

"""How demonstrations are disturbed."""

from __future__ import annotations

from dataclasses import dataclass

from vla_accel_ros.training.recipe_checks import check, check_between


@dataclass(frozen=True)
class Disturbance:
    """How the expert's execution is disturbed, so that recoveries are seen.

    Attributes:
        noise: Standard deviation added to every step, as a share of the largest step.
        burst: Chance a step that a burst begins: some steps of one random motion.
        flip: Chance that the gripper is wrong during a burst.
        change: Chance a step that another instruction is followed from now on.
        keep: Share of the instants that are kept, at random. An instant costs little and its
            labels much where they look ahead, so fewer of more episodes are worth more.
    """

    noise: float = 0.15
    burst: float = 0.05
    flip: float = 0.3
    change: float = 0.01
    keep: float = 1.0

    def __post_init__(self) -> None:
        check_between('noise', self.noise, 0)
        for name in ('burst', 'flip', 'change', 'keep'):
            check_between(name, getattr(self, name), 0, 1)
        check(self.keep > 0, f'keep is {self.keep}, expected above 0')
