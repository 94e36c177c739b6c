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

"""Episodes of the embedded arm, step by step, with what its cameras saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.observations import Observation
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert

# What to do in an instant that looks so; float64 [7].
Actor = Callable[[Observation], np.ndarray]


@dataclass(frozen=True, eq=False)
class Shot:
    """One step.

    Attributes:
        stamp_ns: When, nanoseconds.
        views: uint8 [h, w, 3] by camera.
        pose: The tool's position [3] in m and rotation [3, 3].
        action: float64 [7], what was done then.
    """

    stamp_ns: int
    views: dict[str, np.ndarray]
    pose: tuple[np.ndarray, np.ndarray]
    action: np.ndarray


def play(
    env: TabletopEnv,
    seed: int,
    instruction: str,
    begin_ns: int,
    actor: Actor | None,
    keep: Callable[[Shot], None],
) -> tuple[bool, int]:
    """Play an episode until success, or until it is cut off.

    Args:
        env: With the cameras to show.
        seed: Of the start.
        instruction: What to do.
        begin_ns: Stamp of the first step.
        actor: Decides; the scripted expert where None.
        keep: Given every step.

    Returns:
        Whether it succeeded, and the stamp at which it was over.
    """
    seen, _ = env.reset(seed=seed, options={'task': instruction})
    expert, step_ns, over, stamp_ns = Expert(), round(env.control_dt * 1e9), False, begin_ns
    while not over:
        views = {name: seen[name] for name in env.cameras}
        if actor is None:
            action = expert.action(env.state(), env.task)
        else:
            action = actor(
                Observation(tuple(views.values()), instruction, stamp_ns, seen['proprio'])
            )
        keep(Shot(stamp_ns, views, env.ee_pose(), np.array(action)))
        seen, _, success, cut, _ = env.step(action)
        over, stamp_ns = success or cut, stamp_ns + step_ns
    return success, stamp_ns
