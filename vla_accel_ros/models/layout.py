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

"""Where a model's visual tokens come from, as pruning methods want to know it."""

from __future__ import annotations

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.pruning.interface import Layout


def layout_of(config: VLAConfig) -> Layout:
    """Give the layout of a configuration."""
    return Layout(
        cameras=config.cameras,
        rows=config.grid,
        columns=config.grid,
        patch=config.towers[config.image_towers[0][0]].patch,
        layers=config.decoder.layers,
        single_pass=config.head.single_pass,
        before=config.head.before,
        without_attention=tuple(layer + 1 for layer in config.decoder.drop_attention),
    )
