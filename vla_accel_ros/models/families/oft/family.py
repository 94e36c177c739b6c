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

"""OpenVLA-OFT among the families."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.interface import Family
from vla_accel_ros.models.families.oft import checkpoint, side_files
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.openvla.checkpoint import never_runs

if TYPE_CHECKING:
    from torch import Tensor

    from vla_accel_ros.models.action_reader import ActionReader
    from vla_accel_ros.models.action_tokens import ActionStatistics
    from vla_accel_ros.models.cost.head_cost import HeadCost
    from vla_accel_ros.models.heads.interface import ActionHead
    from vla_accel_ros.models.vla import VLA


class OFTFamily(Family):
    """See `Family`.

    Args:
        find: Gives a folder's side files by kind.
    """

    config = OFTConfig

    def __init__(self, find: Callable[[Path], dict[str, Path]] = side_files.find) -> None:
        self._find = find

    def claims(self, folder: Path, values: Mapping) -> bool:
        """Say whether there are side files, or the configuration speaks of chunks."""
        return bool(self._find(folder)) or checkpoint.CHUNK_KEY in values

    def read(self, folder: Path, values: Mapping) -> VLAConfig:
        """Read a public OpenVLA-OFT's configuration."""
        return checkpoint.read(folder, values, self._find(folder))

    def beside(self, folder: Path) -> dict[str, tuple[Path, Tensor]]:
        """Read the side files."""
        return {
            name: (file, tensor)
            for kind, file in self._find(folder).items()
            for name, tensor in side_files.tensors(kind, file).items()
        }

    def never_runs(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor belongs to parts of the towers that never run."""
        return never_runs(config, name)

    def reader(self, config: VLAConfig, unnorm_key: str | None) -> ActionReader:
        """Make what reads the slots' numbers, of as many columns as there are."""
        from vla_accel_ros.models.heads.slot_numbers import SlotActions

        return SlotActions(config, unnorm_key)

    def build(self, config: VLAConfig) -> VLA:
        """Build an OpenVLA-OFT."""
        from vla_accel_ros.models.families.oft.model import OpenVLAOFT

        return OpenVLAOFT(config)

    def head(self, model: VLA, statistics: ActionStatistics) -> ActionHead:
        """Make the head that answers in one pass."""
        from vla_accel_ros.models.heads.slot_head import SlotHead

        return SlotHead(model, statistics)

    def cost(self, config: VLAConfig) -> HeadCost:
        """Give what slots take."""
        from vla_accel_ros.models.heads.slot_cost import SlotCost

        return SlotCost(config)
