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

"""SmolVLA among the families."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.interface import Family
from vla_accel_ros.models.families.smolvla import checkpoint, names
from vla_accel_ros.models.families.smolvla.config import SmolVLAConfig
from vla_accel_ros.models.heads.flow_words import flow_words

if TYPE_CHECKING:
    from vla_accel_ros.models.action_reader import ActionReader
    from vla_accel_ros.models.action_tokens import ActionStatistics
    from vla_accel_ros.models.checkpoints.sources import Sources
    from vla_accel_ros.models.cost.head_cost import HeadCost
    from vla_accel_ros.models.heads.interface import ActionHead
    from vla_accel_ros.models.proprio import Proprioception
    from vla_accel_ros.models.tokenizer import PromptEncoder
    from vla_accel_ros.models.vla import VLA


class SmolVLAFamily(Family):
    """See `Family`."""

    config = SmolVLAConfig

    def claims(self, folder: Path, values: Mapping) -> bool:
        """Say whether LeRobot's configuration is that of a SmolVLA."""
        return values.get('type') == checkpoint.TYPE

    def read(self, folder: Path, values: Mapping) -> VLAConfig:
        """Read a folder that LeRobot wrote."""
        return checkpoint.read(folder, values)

    def sources(self, config: VLAConfig, stored: Collection[str]) -> Sources:
        """Give the public names of the model's tensors, with or without `model.` before them."""
        return names.sources(config, stored)

    def never_runs(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor is of the unused output layer, or a statistic."""
        return names.never_runs(name)

    def precise(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor is of the projections of state and actions."""
        return name.startswith(('state_proj.', 'flow.action_'))

    def prompts(self, folder: Path, config: VLAConfig) -> PromptEncoder:
        """Load what makes token ids of a task."""
        from vla_accel_ros.models.families.smolvla.prompts import load_prompts

        return load_prompts(folder, config)

    def reader(self, config: VLAConfig, unnorm_key: str | None) -> ActionReader:
        """Make what reads actions of any width."""
        from vla_accel_ros.models.heads.flow_numbers import FlowActions

        return FlowActions(config, unnorm_key)

    def proprio(self, config: VLAConfig, key: str) -> Proprioception | None:
        """Make what normalises the state."""
        from vla_accel_ros.models.heads.flow_numbers import FlowState

        return FlowState(config, key)

    def build(self, config: VLAConfig) -> VLA:
        """Build a SmolVLA."""
        from vla_accel_ros.models.families.smolvla.model import SmolVLA

        return SmolVLA(config)

    def head(self, model: VLA, statistics: ActionStatistics) -> ActionHead:
        """Make the head that denoises."""
        from vla_accel_ros.models.heads.flow_head import FlowHead

        return FlowHead(model, statistics, model.flow)

    def about(self, config: VLAConfig) -> list[str]:
        """Say what a robot must provide, and what it gets."""
        return flow_words(config, 'as a row of the prompt')

    def cost(self, config: VLAConfig) -> HeadCost:
        """Give what the state's row and the denoising take."""
        from vla_accel_ros.models.families.smolvla.cost import InterleavedCost

        return InterleavedCost(config)
