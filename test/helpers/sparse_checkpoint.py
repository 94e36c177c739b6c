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

"""Checkpoints of any size that take no room on the disk: all weights are holes in a file."""

from dataclasses import replace
import json
from pathlib import Path

import torch

from vla_accel_ros.models.checkpoints import own_config
from vla_accel_ros.models.checkpoints.file_names import OWN
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.registry import build

TYPES = {torch.bfloat16: 'BF16', torch.float16: 'F16', torch.float32: 'F32'}


def write_sparse(folder: Path, config: VLAConfig, dtype: torch.dtype = torch.bfloat16) -> Path:
    """Write a checkpoint whose weights are zeros."""
    folder.mkdir(parents=True)
    with torch.device('meta'):
        model = build(config)
    entries, end = {}, 0
    for name, tensor in model.state_dict().items():
        begin, end = end, end + tensor.numel() * dtype.itemsize
        entries[name] = {
            'dtype': TYPES[dtype],
            'shape': list(tensor.shape),
            'data_offsets': [begin, end],
        }
    header = json.dumps(entries).encode()
    header += b' ' * (-len(header) % 8)
    with (folder / 'model.safetensors').open('wb') as opened:
        opened.write(len(header).to_bytes(8, 'little') + header)
        opened.truncate(8 + len(header) + end)
    own = own_config.write(config)
    values = {'norm_stats': own.pop('norm_stats'), OWN: own}
    values['model_type'] = OWN
    (folder / 'config.json').write_text(json.dumps(values))
    return folder


def with_layers(config: VLAConfig, layers: int) -> VLAConfig:
    """Give a configuration with another number of decoder layers."""
    return replace(config, decoder=replace(config.decoder, layers=layers))
