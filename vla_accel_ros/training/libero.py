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

"""A suite of LIBERO as a world to learn, on layouts that its own sampler draws.

The suite's fixed initial states are its test; nothing here ever sees them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from vla_accel_ros.environments.libero_env import LiberoKind
from vla_accel_ros.environments.libero_tasks import Meaning, meaning_of
from vla_accel_ros.training.frames import FrameSpec
from vla_accel_ros.training.labels import TOOL
from vla_accel_ros.training.libero_frames import LiberoMaker
from vla_accel_ros.training.world import Facts, FrameMaker


class Libero:
    """See `world.World`.

    Args:
        suite: As after `libero:`.

    Raises:
        ValueError: When there is no such suite.
    """

    saves = False

    def __init__(self, suite: str) -> None:
        self._kind = LiberoKind.parse_sampled(suite)

    @cached_property
    def _meanings(self) -> dict[str, Meaning]:
        """What each task is about that is done by moving a thing; of others nothing is learnt."""
        found = {}
        for task in self._kind.tasks():
            with suppress(ValueError):
                found[task.language] = meaning_of(task)
        return found

    def facts(self) -> Facts:
        """See `world.World.facts`.

        Raises:
            ValueError: When LIBERO is missing.
        """
        there = {name for meaning in self._meanings.values() for name in meaning.objects}
        return Facts(
            objects=(*sorted(there), TOOL),
            moving=self._kind.cameras[1:],
            middle=(0.0, 0.0, 0.1),
            grasped_m=0.070,
            vocabulary=tuple(task.language for task in self._kind.tasks()),
        )

    def named(self, instruction: str) -> tuple[str, str | None]:
        """See `world.World.named`.

        Raises:
            ValueError: When the suite asks for nothing like it.
        """
        if instruction not in self._meanings:
            raise ValueError(
                f"'{instruction}' is no instruction of {self._kind.name} that can be learnt, "
                'expected one of: '
                f'{"; ".join(self._meanings)}'
            )
        meaning = self._meanings[instruction]
        return meaning.thing, meaning.goal

    def maker(self, spec: FrameSpec, kind: str, policy: Path | None = None) -> FrameMaker:
        """See `world.World.maker`."""
        return LiberoMaker(replace(self._kind, cameras=spec.cameras), spec, kind, policy)
