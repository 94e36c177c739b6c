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

"""Models that answer within a millisecond or two, and engines in processes apart."""

from dataclasses import replace

import torch

from vla_accel_ros.bench.subjects import Subject, of_config
from vla_accel_ros.engines.eager import Eager
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.oft.config import DISCRETE, OFTConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig

TOWER = TowerConfig(
    width=32, depth=3, heads=2, mlp=48, patch=14, class_token=True, registers=2, layer_scale=True
)
TINY = VLAConfig(
    towers=(TOWER, replace(TOWER, name='fused_featurizer', class_token=False, registers=0)),
    decoder=DecoderConfig(width=64, layers=4, heads=4, kv_heads=2, mlp=96, vocab=500),
    head=TokensConfig(),
    image_size=112,
    tokenizer_vocab=450,
    prompt_end=None,
)
CONFIGS = {
    'tiny': TINY,
    'tiny-oft': replace(TINY, head=OFTConfig(), image_towers=((0, 1), (0, 1)), centre_crop=0.9),
    'tiny-discrete': replace(TINY, head=OFTConfig(head=DISCRETE)),
}


class Halved(Eager):
    """Run programs as eager does, and say that it is neither eager nor exact."""

    name = 'halved'
    precision = 'float16'
    exact = False


ENGINES = {'eager': Eager, 'halved': Halved}


def ready(engine: str, threads: int | None) -> Subject:
    """Make the tiny model ready on an engine."""
    torch.set_num_threads(threads or 1)
    subject = of_config('tiny', TINY, 'cpu', torch.float32)
    return replace(subject, engine=ENGINES[engine](), engine_name=engine)
