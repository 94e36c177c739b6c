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

"""Random weights that keep the arm moving for a while: slowly, and away from the table."""

from collections.abc import Callable
from pathlib import Path

from checkpoints import random_checkpoint
import numpy as np

from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation

SEEDS = range(100)
INSTRUCTION = 'pick up the red cube'


def moving_seed(make: Callable[[int], Path]) -> int:
    """Make checkpoints from seed to seed until one does; it is the one that is left.

    Args:
        make: Writes the checkpoint of a seed and returns its folder.
    """
    for seed in SEEDS:
        policy = Policy.load(make(seed))
        size = policy.image_size
        noise = np.random.default_rng(0)
        rows = []
        for level in (60, 120, 180):
            views = tuple(
                np.clip(noise.normal(level, 30, (size, size, 3)), 0, 255).astype(np.uint8)
                for _ in range(policy.cameras)
            )
            rows.append(policy.predict(Observation(views, INSTRUCTION)).chunk_values[0])
        steps = np.abs(rows)[:, :3].max(axis=1)
        if np.all(steps > 1e-3) and np.all(steps < 4e-3) and np.all(np.array(rows)[:, 2] > 0):
            return seed
    raise AssertionError(f'no seed of {SEEDS} makes a policy that moves the arm upward')


def write_wanderer(folder: Path) -> Path:
    """Write a checkpoint of one camera that keeps the arm moving, and return its folder."""
    moving_seed(lambda seed: random_checkpoint(folder, seed))
    return folder
