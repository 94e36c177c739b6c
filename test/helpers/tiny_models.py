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

"""Models of a few thousand random weights, as a policy runs them."""

from dataclasses import replace

from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.models.random_weights import random_model

# Prefix tokens, a layer scale, two cameras, and heads that share keys.
TOWER = TowerConfig(
    name='featurizer',
    width=16,
    depth=3,
    heads=2,
    mlp=32,
    patch=8,
    class_token=True,
    layer_scale=True,
)
TOKENS = VLAConfig(
    towers=(TOWER,),
    head=TokensConfig(),
    decoder=DecoderConfig(width=32, layers=3, heads=4, kv_heads=2, mlp=48, vocab=320),
    image_towers=((0,), (0,)),
    image_size=32,
    tokenizer_vocab=300,
    prompt_end=None,
    projector_layers=2,
)
SLOTS = replace(TOKENS, film=True, head=OFTConfig(chunk=2, proprio=4))


def tiny_model(config=TOKENS, packed=True):
    """Give a model in evaluation mode, the same each time."""
    model = random_model(config)
    if packed:
        model.language_model.model.pack()
    return model
