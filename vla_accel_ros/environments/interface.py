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

"""What the closed loop needs of an environment.

An `EnvironmentKind` says which one and travels to worker processes, where `make` builds the
`Environment` itself: simulators do not travel. Actions and units are those of the product
(`END_EFFECTOR`: m, rad, gripper 0 open to 1 closed); an adapter converts them to its own.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np


class View(NamedTuple):
    """One instant as cameras and joints see it.

    Attributes:
        images: One uint8 [h, w, 3] RGB array a camera, in the checkpoint's order.
        proprio: float [m] as checkpoints want it, None where there is none.
    """

    images: tuple[np.ndarray, ...]
    proprio: np.ndarray | None = None


class Outcome(NamedTuple):
    """What a step led to.

    Attributes:
        done: Whether the episode is over, by success or by the limit on steps.
        success: Whether what was asked is done.
        now: Whether it is done at this very instant, where success is kept once it was reached
            and episodes go on; None where an episode ends with it.
    """

    done: bool
    success: bool
    now: bool | None = None


class Environment(Protocol):
    """One simulation, reset for each episode.

    Everything follows from seed, instruction and actions: the same ones lead to the same
    pictures, so that an episode can be shown again from its actions alone.

    Those that can be tried out without a model, by `rehearsal`, have `limits()`, the smallest and
    the largest action, and those with a scripted expert `expert_action()`.

    Attributes:
        cameras: Names of the views of `observe`, in order.
        step_s: Seconds of a step of the policy.
    """

    cameras: tuple[str, ...]
    step_s: float

    def reset(self, seed: int, instruction: str) -> None:
        """Begin an episode."""

    def observe(self) -> View:
        """Render this instant; called only where a policy asks."""

    def step(self, action: np.ndarray) -> Outcome:
        """Let one step go by under an action, float64 [7]; renders nothing."""

    def tool_position(self) -> np.ndarray | None:
        """Return the tool's position [3] in m, of which jerk is taken; None where unknown."""

    def picture(self) -> np.ndarray:
        """Return a view for people, uint8 [h, w, 3]."""

    def close(self) -> None:
        """Free what it holds."""


class EnvironmentKind(Protocol):
    """Which environment, and how it is built: small, picklable and equal by value.

    Attributes:
        name: As on the command line.
        cameras: Names of its views.
        default_task: What `--task` is where it is not given.
    """

    name: str
    cameras: tuple[str, ...]
    default_task: str

    def instructions(self, task: str) -> tuple[str, ...]:
        """Return the instructions that a `--task` means; episodes take them in turn.

        Raises:
            ValueError: When it means none; lists what it may be.
        """

    def kind_of(self, instruction: str) -> str:
        """Return the kind of task that an instruction is, for success by kind."""

    def make(self, image_size: int, max_steps: int | None) -> Environment:
        """Build it.

        Args:
            image_size: Side of the camera images, pixels.
            max_steps: Steps after which an episode is cut off; the task's own where None.

        Raises:
            ValueError: When it cannot be; says why and what to do.
        """
