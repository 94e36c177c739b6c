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

"""The embedded arm's table top as a world to learn."""

from __future__ import annotations

from pathlib import Path

from vla_accel_ros.sim.cameras import MOVING
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.scene import COLOURS, CUBE_HALF
from vla_accel_ros.sim.tasks import all_instructions, parse
from vla_accel_ros.training.frames import FrameSpec
from vla_accel_ros.training.labels import BIN, TOOL
from vla_accel_ros.training.tabletop_frames import TabletopMaker
from vla_accel_ros.training.world import Facts, FrameMaker


class Tabletop:
    """See `world.World`."""

    saves = True

    def facts(self) -> Facts:
        """See `world.World.facts`."""
        return Facts(
            objects=(*COLOURS, BIN, TOOL),
            moving=MOVING,
            middle=(0.5, 0.0, 0.1),
            grasped_m=2 * CUBE_HALF + 0.0025,
            vocabulary=all_instructions(),
        )

    def named(self, instruction: str) -> tuple[str, str | None]:
        """See `world.World.named`."""
        task = parse(instruction)
        return task.colour, BIN if task.kind == 'place' else task.other

    def maker(self, spec: FrameSpec, kind: str, policy: Path | None = None) -> FrameMaker:
        """See `world.World.maker`."""
        env = TabletopEnv(image_size=spec.size, cameras=())
        env.cameras = spec.cameras
        return TabletopMaker(env, kind)
