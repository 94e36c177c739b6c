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


"""Checkpoints of the embedded model with random weights, for tests of what is around them."""

from dataclasses import replace
from pathlib import Path

import torch

from vla_accel_ros.models.checkpoints.folder import save
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.heads.config import HeadConfig
from vla_accel_ros.models.presets import TOKENS, embedded
from vla_accel_ros.models.tokenizer import vocabulary, write_tokenizer
from vla_accel_ros.sim.tasks import all_instructions

STATISTICS = {
    'action': {
        'q01': [-0.01, -0.01, -0.01, -0.02, -0.02, -0.02, 0.0],
        'q99': [0.01, 0.01, 0.01, 0.02, 0.02, 0.02, 1.0],
        'mask': [True] * 6 + [False],
    },
    'proprio': {'q01': [0.0] * 8, 'q99': [1.0] * 8},
}
SIZE = 32


def random_checkpoint(
    folder: Path, seed: int = 0, cameras: int = 2, head: HeadConfig = TOKENS
) -> Path:
    """Write a checkpoint of a few thousand weights that knows every instruction."""
    words = vocabulary(all_instructions())
    config = embedded(
        len(words),
        cameras=cameras,
        image_size=SIZE,
        tower_width=32,
        width=48,
        layers=2,
        heads=4,
        tower_blocks=1,
    )
    torch.manual_seed(seed)
    save(build(replace(config, norm_stats={'random': STATISTICS}, head=head)), folder)
    write_tokenizer(words, folder)
    return folder
