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

"""CogACT's public layout, made of the fixture: a pickled dictionary of dictionaries."""

import shutil

from safetensors.torch import load_file
import torch

SIDES = ('config.json', 'dataset_statistics.json', 'tokenizer.model')
NAME = 'step-000100-epoch-01-loss=0.1.pt'


def nested(reference):
    """Give the dictionary that a public file holds."""
    parts = {}
    for name, tensor in load_file(reference / 'model.safetensors').items():
        module, _, inner = name.partition('.')
        parts.setdefault(module, {})[inner] = tensor
    return {'model': parts}


def public_folder(reference, folder, stored=None, name=NAME):
    """Write a public folder."""
    (folder / 'checkpoints').mkdir(parents=True)
    for side in SIDES:
        shutil.copy(reference / side, folder)
    torch.save(nested(reference) if stored is None else stored, folder / 'checkpoints' / name)
    return folder
