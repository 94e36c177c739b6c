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

"""OpenVLA among the families."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.interface import Family
from vla_accel_ros.models.families.openvla import checkpoint
from vla_accel_ros.models.families.openvla.config import TokensConfig

if TYPE_CHECKING:
    from vla_accel_ros.models.action_tokens import ActionStatistics
    from vla_accel_ros.models.cost.head_cost import HeadCost
    from vla_accel_ros.models.heads.interface import ActionHead
    from vla_accel_ros.models.vla import VLA


class OpenVLAFamily(Family):
    """See `Family`."""

    config = TokensConfig

    def claims(self, folder: Path, values: Mapping) -> bool:
        """Say whether the configuration is a public OpenVLA's."""
        return values.get('model_type') == checkpoint.MODEL_TYPE

    def read(self, folder: Path, values: Mapping) -> VLAConfig:
        """Read a public OpenVLA's configuration."""
        return checkpoint.read(folder, values)

    def never_runs(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor belongs to parts of the towers that never run."""
        return checkpoint.never_runs(config, name)

    def build(self, config: VLAConfig) -> VLA:
        """Build an OpenVLA."""
        from vla_accel_ros.models.families.openvla.model import OpenVLA

        return OpenVLA(config)

    def head(self, model: VLA, statistics: ActionStatistics) -> ActionHead:
        """Make the head that decodes tokens."""
        from vla_accel_ros.models.heads.token_head import TokenHead

        return TokenHead(model, statistics)

    def cost(self, config: VLAConfig) -> HeadCost:
        """Give what tokens take."""
        from vla_accel_ros.models.heads.token_cost import TokenCost

        return TokenCost(config)
