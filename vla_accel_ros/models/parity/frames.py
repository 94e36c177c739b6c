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

"""Frames to compare engines on: what the self-test looks at, and one that was recorded."""

from __future__ import annotations

from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vla_accel_ros.models.parity.engines import Frame
from vla_accel_ros.models.self_test import blank, understood
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation

if TYPE_CHECKING:
    from vla_accel_ros.models.policy import Policy

# Two views of the embedded arm, the agent's above the wrist's, rendered from seed 7.
RECORDED = Path(__file__).with_name('recorded.npz')
STEP_NS = 50_000_000
# A move of the arm, so that methods that prune by motion have some.
MOVING = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)


@cache
def _views() -> tuple[np.ndarray, ...]:
    # Not a picture: a machine that only measures may have nothing to read one with.
    whole = np.load(RECORDED)['views']
    side = whole.shape[1]
    return tuple(whole[first : first + side] for first in range(0, len(whole), side))


def recorded(policy: Policy, number: int = 0) -> Frame:
    """Give the recorded frame, for as many views as the checkpoint wants.

    Args:
        policy: The policy.
        number: Of the step, from 0; each next one sees the table moved by two pixels.
    """
    views = tuple(np.roll(view, 2 * number, axis=1) for view in _views())
    images = tuple(islice(cycle(views), policy.cameras))
    proprio = policy.proprio.middle if policy.proprio else None
    instruction = understood(policy.tokens_of)
    observation = Observation(images, instruction, (1 + number) * STEP_NS, proprio)
    return Frame(observation, MOVING if number else None)


def few_frames(policy: Policy, exact: bool = True) -> tuple[Frame, ...]:
    """Give three frames to compare an engine on; each start of a node waits for them.

    Args:
        policy: The policy.
        exact: Whether two are those of the self-test, black and white. A policy has never seen
            such, and what it answers there hangs by a hair: they say nothing of an engine that
            rounds.

    Returns:
        Steps of the recorded frame, then the blank ones.
    """
    if not exact:
        return tuple(recorded(policy, step) for step in range(3))
    blanks = (Frame(blank(policy, level), MOVING) for level in (0, 255))
    return (recorded(policy), *blanks)
