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

"""Configurations of a few thousand weights, one a kind of head."""

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.presets import TOKENS, embedded

HEADS = {'tokens': TOKENS, 'slots': OFTConfig(chunk=2, proprio=4)}


def small(kind: str, layers: int = 4) -> VLAConfig:
    """Give the configuration of a model that answers in `tokens` or in `slots`."""
    return embedded(
        300,
        image_size=64,
        tower_width=32,
        tower_blocks=1,
        width=48,
        layers=layers,
        heads=4,
        head=HEADS[kind],
    )
