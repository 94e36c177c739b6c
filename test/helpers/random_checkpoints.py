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

"""Checkpoints with random weights."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from vla_accel_ros.models.checkpoints import folder as checkpoint
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.tokenizer import vocabulary, write_tokenizer

REACH = [0.02, 0.02, 0.02, 0.01, 0.01, 0.05, 1.0]


def write_random(
    folder: Path, instructions: Sequence[str], key: str = 'random', cameras: int = 2
) -> Path:
    """Write a tiny policy that knows the words of some instructions."""
    words = vocabulary(instructions)
    config = embedded(
        len(words),
        cameras,
        image_size=32,
        tower_width=32,
        tower_blocks=1,
        width=48,
        layers=2,
        heads=2,
    )
    stats = {'action': {'q01': [-r for r in REACH], 'q99': REACH, 'mask': [True] * 6 + [False]}}
    torch.manual_seed(0)
    model = OpenVLA(replace(config, norm_stats={key: stats}))
    checkpoint.save(model, folder)
    write_tokenizer(words, folder)
    return folder
