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

"""CogACT among the families."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.cogact import checkpoint, torch_file
from vla_accel_ros.models.families.cogact.config import CogACTConfig
from vla_accel_ros.models.families.interface import Family
from vla_accel_ros.models.families.openvla.checkpoint import never_runs

if TYPE_CHECKING:
    from torch import Tensor

    from vla_accel_ros.models.action_tokens import ActionStatistics
    from vla_accel_ros.models.checkpoints.sources import Sources
    from vla_accel_ros.models.cost.head_cost import HeadCost
    from vla_accel_ros.models.heads.interface import ActionHead
    from vla_accel_ros.models.vla import VLA


class CogACTFamily(Family):
    """See `Family`."""

    config = CogACTConfig

    def claims(self, folder: Path, values: Mapping) -> bool:
        """Say whether the configuration speaks of an action model behind a prismatic VLM."""
        return checkpoint.claims(values)

    def read(self, folder: Path, values: Mapping) -> VLAConfig:
        """Read a public CogACT's configuration; most of it stands in shapes."""
        return checkpoint.read(folder, values)

    def files(self, folder: Path) -> list[Path]:
        """Give the files of safetensors; none where all weights are in a pickled file."""
        return [] if torch_file.find(folder) else super().files(folder)

    def beside(self, folder: Path) -> dict[str, tuple[Path, Tensor]]:
        """Read the pickled file, if there is one; its tensors stay in it until they are used."""
        file = torch_file.find(folder)
        return (
            {name: (file, tensor) for name, tensor in torch_file.tensors(file).items()}
            if file
            else {}
        )

    def sources(self, config: VLAConfig, stored: Collection[str]) -> Sources:
        """Say which stored tensors are the model's; none has another name in our own folder."""
        return {ours: (name,) for name in stored if (ours := checkpoint.ours(name)) != name}

    def never_runs(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor is of parts of towers, head or language model that never run."""
        name = checkpoint.ours(name)
        return name.startswith(checkpoint.UNUSED) or never_runs(config, name)

    def precise(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor is the action transformer's, which the original runs in float32."""
        return name.startswith('action_model.')

    def notes(self, folder: Path) -> list[str]:
        """Say which of several pickled files is read."""
        return torch_file.notes(folder)

    def build(self, config: VLAConfig) -> VLA:
        """Build a CogACT."""
        from vla_accel_ros.models.families.cogact.model import CogACT

        return CogACT(config)

    def head(self, model: VLA, statistics: ActionStatistics) -> ActionHead:
        """Make the head that denoises."""
        from vla_accel_ros.models.heads.diffusion_head import DiffusionHead

        return DiffusionHead(model, statistics)

    def cost(self, config: VLAConfig) -> HeadCost:
        """Give what denoising takes."""
        from vla_accel_ros.models.heads.diffusion_cost import DiffusionCost

        return DiffusionCost(config)
