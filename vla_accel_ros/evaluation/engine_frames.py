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

"""Frames of the embedded arm, driven by its scripted expert, to compare engines on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as count_up

from vla_accel_ros.environments.registry import with_views
from vla_accel_ros.environments.tabletop import TabletopKind
from vla_accel_ros.evaluation import seeds
from vla_accel_ros.models.parity.engines import Frame
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation

# Every so many steps one is looked at, for neighbours look alike.
EVERY = 2


def simulated(policy: Policy, count: int) -> Iterator[Frame]:
    """Give frames of all tasks in turn, from the seeds for reporting on.

    Args:
        policy: Says how large the images are and how many views there are.
        count: How many.
    """
    kind = with_views(TabletopKind(), policy.cameras)
    known, given = kind.instructions('all'), 0
    environment = kind.make(policy.image_size, None)
    step_ns = round(environment.step_s * 1e9)
    try:
        for seed in seeds.RANGES['reporting']:
            instruction, motion = known[seed % len(known)], None
            environment.reset(seed, instruction)
            for step in count_up():
                view = environment.observe()
                if step % EVERY == 0:
                    stamp_ns = (1 + step) * step_ns
                    seen = Observation(view.images, instruction, stamp_ns, view.proprio)
                    yield Frame(seen, motion)
                    given += 1
                    if given == count:
                        return
                action = environment.expert_action()
                motion = Motion.from_action(action, environment.step_s)
                outcome = environment.step(action)
                if outcome.done:
                    break
    finally:
        environment.close()
