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

"""pi0 and pi0.5 among the families."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.interface import Family
from vla_accel_ros.models.families.pi0 import checkpoint, names
from vla_accel_ros.models.families.pi0.config import QUESTION, STATE, Pi0Config
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

# Beside the expert these stay float32, as in the originals: they see times and noisy actions.
_PRECISE = ('action_in_proj', 'action_out_proj', 'state_proj', 'time_mlp', 'action_time_mlp')
TOKENIZER_HINT = (
    "put PaliGemma's tokenizer.model or tokenizer.json there, of google/paligemma-3b-pt-224; "
    'checkpoints of pi0 do not hold it'
)


class Pi0Family(Family):
    """See `Family`."""

    config = Pi0Config

    def claims(self, folder: Path, values: Mapping) -> bool:
        """Say whether the configuration is a public pi0's or pi0.5's."""
        return checkpoint.claims(values)

    def read(self, folder: Path, values: Mapping) -> VLAConfig:
        """Read a public folder's configuration."""
        return checkpoint.read(folder, values)

    def sources(self, config: VLAConfig, stored: Collection[str]) -> Sources:
        """Say which stored tensors the model's are."""
        return names.sources(config, stored)

    def never_runs(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor is an output layer's, or an older export's statistics."""
        return names.needless(name)

    def precise(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor is of the projections around the expert."""
        part = name.removeprefix('flow.')
        return part != name and part.startswith(_PRECISE)

    def prompts(self, folder: Path, config: VLAConfig) -> PromptEncoder:
        """Load PaliGemma's tokeniser, or that of models which are asked as OpenVLA is."""
        if config.head.prompt == QUESTION:
            return super().prompts(folder, config)
        from vla_accel_ros.models.families.pi0.prompts import Pi0Prompts
        from vla_accel_ros.models.tokenizer_file import load_text_encoder

        encode = load_text_encoder(folder, config.decoder.vocab, '<bos>', TOKENIZER_HINT)
        return Pi0Prompts(encode, config.head)

    def reader(self, config: VLAConfig, unnorm_key: str | None) -> ActionReader:
        """Make what reads actions of any width."""
        from vla_accel_ros.models.heads.flow_numbers import FlowActions

        return FlowActions(config, unnorm_key)

    def proprio(self, config: VLAConfig, key: str) -> Proprioception | None:
        """Make what normalises the state."""
        from vla_accel_ros.models.heads.flow_numbers import FlowState

        return FlowState(config, key) if config.proprio else None

    def build(self, config: VLAConfig) -> VLA:
        """Build a pi0 or a pi0.5."""
        from vla_accel_ros.models.families.pi0.model import Pi0

        return Pi0(config)

    def about(self, config: VLAConfig) -> list[str]:
        """Say what a robot must provide, and what it gets."""
        head: Pi0Config = config.head
        return flow_words(
            config, 'in the prompt' if head.prompt == STATE else 'as a row of the expert'
        )

    def cost(self, config: VLAConfig) -> HeadCost:
        """Give what denoising takes."""
        from vla_accel_ros.models.heads.flow_cost import FlowCost

        return FlowCost(config)

    def head(self, model: VLA, statistics: ActionStatistics) -> ActionHead:
        """Make the head that denoises."""
        from vla_accel_ros.models.heads.flow_head import FlowHead

        return FlowHead(model, statistics, model.flow)
