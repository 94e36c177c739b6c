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

"""Write a trained model as a checkpoint folder."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.models.checkpoints import folder as checkpoint
from vla_accel_ros.models.checkpoints.file_names import STATISTICS
from vla_accel_ros.models.vla import VLA

PROCESSOR = 'preprocessor_config.json'


def write_checkpoint(model: VLA, folder: str | Path) -> None:
    """Write weights, configuration, statistics and preprocessing beside the tokeniser.

    Each file is replaced as a whole, the weights last. They are stored in float16: half the
    size, and eight times as fine as the bfloat16 that they were trained to work in.

    Args:
        model: With its action statistics in the configuration.
        folder: Holds `tokenizer.json` already.
    """
    folder, config = Path(folder), model.config
    towers = [config.towers[t] for image in config.image_towers for t in image]
    processor = {
        'image_processor_type': 'PrismaticImageProcessor',
        'image_resize_strategy': config.resize,
        'input_sizes': [[3, config.image_size, config.image_size] for _ in towers],
        'interpolations': ['bicubic' for _ in towers],
        'means': [list(tower.mean) for tower in towers],
        'stds': [list(tower.std) for tower in towers],
    }
    for name, values in ((PROCESSOR, processor), (STATISTICS, config.norm_stats)):
        write_whole(folder / name, json.dumps(values, indent=1) + '\n')
    checkpoint.save(model, folder, torch.float16)
