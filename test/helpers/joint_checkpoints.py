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

"""Checkpoints of OFT's form that answer joints, with a few thousand random weights."""

from collections.abc import Sequence
from dataclasses import replace
import json
from pathlib import Path

import torch

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.models.checkpoints.conventions import CONVENTIONS
from vla_accel_ros.models.checkpoints.folder import save
from vla_accel_ros.models.families.oft.config import BOUNDS, OFTConfig
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.tokenizer import vocabulary, write_tokenizer

SIZE = 32


def joint_statistics(space: ActionSpace, proprio: int = 0) -> dict:
    """Give statistics of which the extremes are twice as far apart as the percentiles.

    Args:
        space: What the actions are.
        proprio: Numbers of the state; as many as columns where 0.
    """
    width = space.width
    low = [0.0 if i in space.grippers else -1.0 - 0.1 * i for i in range(width)]
    high = [1.0 if i in space.grippers else 1.5 + 0.1 * i for i in range(width)]
    inner = {
        'q01': [value / 2 for value in low],
        'q99': [value / 2 for value in high],
        'min': low,
        'max': high,
    }
    state = {name: values[: proprio or width] for name, values in inner.items()}
    return {'action': {**inner, 'mask': [True] * width}, 'proprio': state}


def joint_checkpoint(
    folder: Path,
    space: ActionSpace,
    words: Sequence[str],
    film: bool = False,
    cameras: int = 3,
    **oft: object,
) -> Path:
    """Write a folder; as OFT's of ALOHA where nothing else is said: 3 views, chunks of 25."""
    known = vocabulary(words)
    head = OFTConfig(**{'chunk': 25, 'proprio': space.width, 'scaling': BOUNDS, **oft})
    config = embedded(
        len(known),
        cameras=cameras,
        image_size=SIZE,
        tower_width=32,
        tower_blocks=1,
        width=32,
        layers=1,
        heads=2,
        film=film,
        head=head,
    )
    torch.manual_seed(0)
    config = replace(
        config,
        action_dims=space.width,
        gripper_open_is_one=True,
        norm_stats={'joints': joint_statistics(space, head.proprio)},
    )
    save(build(config), folder)
    write_tokenizer(known, folder)
    (folder / CONVENTIONS).write_text(json.dumps({'actions': space.to_values()}))
    return folder
