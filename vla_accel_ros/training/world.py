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

"""The world that a recipe's frames are of: what is in it, what is asked, who makes frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from vla_accel_ros.training.disturbance import Disturbance
    from vla_accel_ros.training.frames import Frames, FrameSpec


class FrameMaker(Protocol):
    """Makes frames of one kind, chunk by chunk, in a process of its own."""

    def make_chunk(self, frames: Frames, chunk: int, first_seed: int, how: Disturbance) -> None:
        """Fill one chunk.

        Args:
            frames: Where to.
            chunk: Which.
            first_seed: Of chunk 0; each chunk has its own episodes' seeds after it.
            how: How the demonstrations are disturbed.
        """


@dataclass(frozen=True)
class Facts:
    """What training must know of a world.

    Attributes:
        objects: What is located, by name; the arm's tool is the last.
        moving: Cameras that the hand carries.
        middle: Middle of where things are, [3] in m, in the frame of proprioception.
        grasped_m: Fingers that are less apart hold something.
        vocabulary: Instructions of whose words the tokeniser is made.
    """

    objects: tuple[str, ...]
    moving: tuple[str, ...]
    middle: tuple[float, float, float]
    grasped_m: float
    vocabulary: tuple[str, ...]


class World(Protocol):
    """One world. Where simulators are needed, they are loaded by the call that needs them.

    Attributes:
        saves: Whether an instant can be kept and gone back to. Then a frame is labelled for every
            instruction, and a policy acts in many episodes at once; else a frame is labelled for
            the one that was being followed, and episodes go one after the other.
    """

    saves: bool

    def facts(self) -> Facts:
        """Return what is in it."""

    def named(self, instruction: str) -> tuple[str, str | None]:
        """Return the object that an instruction means, and the one that it is brought to."""

    def maker(self, spec: FrameSpec, kind: str, policy: Path | None) -> FrameMaker:
        """Return what makes frames in this process.

        Args:
            spec: Of the frames.
            kind: One of `recipe_parts.KINDS`.
            policy: Checkpoint folder of the policy that acts, for 'dagger' where episodes go one
                after the other.
        """
