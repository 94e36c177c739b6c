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

"""From a recipe's few numbers to a model's whole configuration."""

from __future__ import annotations

from dataclasses import asdict

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.depth import without
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.models.presets import embedded, scaled
from vla_accel_ros.models.tokenizer import EOS
from vla_accel_ros.sim.env import PROPRIO_LOW
from vla_accel_ros.training.recipe_parts import ModelRecipe


def configure(model: ModelRecipe, words: list[str], cameras: int) -> VLAConfig:
    """Return the configuration of a model that is to be trained.

    Args:
        model: Its shape.
        words: The vocabulary before the action bins.
        cameras: Views.
    """
    numbers = asdict(model)
    form, chunk, drop = (numbers.pop(name) for name in ('form', 'chunk', 'drop'))
    for name in ('head', 'head_width', 'head_layers'):
        del numbers[name]
    head = TokensConfig()
    if chunk:
        head = OFTConfig(chunk=chunk, proprio=len(PROPRIO_LOW), stop=words.index(EOS))
    build = embedded if form == 'embedded' else scaled
    return without(build(len(words), cameras=cameras, head=head, **numbers), drop)
