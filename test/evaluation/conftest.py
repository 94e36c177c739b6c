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
"""A policy with random weights, in a folder."""

from pathlib import Path
import sys

import pytest
import torch

from vla_accel_ros.models import checkpoint
from vla_accel_ros.models.openvla import OpenVLA
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.tokenizer import vocabulary, write_tokenizer
from vla_accel_ros.sim.tasks import all_instructions

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope='session')
def random_checkpoint(tmp_path_factory):
    from dataclasses import replace

    folder = tmp_path_factory.mktemp('random')
    words = vocabulary(all_instructions())
    config = embedded(len(words), image_size=32, tower_width=32, tower_blocks=1, width=48,
                      layers=2, heads=2)
    reach = [0.02, 0.02, 0.02, 0.01, 0.01, 0.05, 1.0]
    stats = {'action': {
        'q01': [-r for r in reach], 'q99': reach, 'mask': [True] * 6 + [False]}}
    torch.manual_seed(0)
    model = OpenVLA(replace(config, norm_stats={'random': stats}))
    checkpoint.save(model, folder)
    write_tokenizer(words, folder)
    return folder
