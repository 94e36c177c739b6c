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

"""What a family of models is to the rest of the code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.heads.config import HeadConfig

if TYPE_CHECKING:
    from torch import Tensor

    from vla_accel_ros.models.action_reader import ActionReader
    from vla_accel_ros.models.action_tokens import ActionStatistics
    from vla_accel_ros.models.checkpoints.sources import Sources
    from vla_accel_ros.models.cost.head_cost import HeadCost
    from vla_accel_ros.models.heads.interface import ActionHead
    from vla_accel_ros.models.proprio import Proprioception
    from vla_accel_ros.models.tokenizer import PromptEncoder
    from vla_accel_ros.models.vla import VLA


class Family(ABC):
    """How models of one kind are told from others, read, built and run.

    A configuration is read without torch, so a family imports what needs it where it is used.

    Attributes:
        config: Its part of a configuration, which has the family's name.
    """

    config: type[HeadConfig]

    @property
    def name(self) -> str:
        """The name, which is the part's in `config.json`."""
        return self.config.family

    # -- checkpoints of others -------------------------------------------------------------------

    def claims(self, folder: Path, values: Mapping) -> bool:
        """Say whether a checkpoint folder that this package did not write is of this family.

        Args:
            folder: The folder.
            values: What its `config.json` holds.

        Raises:
            CheckpointError: When it is, and cannot be used.
        """
        return False

    def read(self, folder: Path, values: Mapping) -> VLAConfig:
        """Read the configuration of such a folder.

        Args:
            folder: The folder.
            values: What its `config.json` holds, with the checked `norm_stats`.

        Raises:
            CheckpointError: When a file is missing or does not say what is needed.
        """
        raise NotImplementedError

    def files(self, folder: Path) -> list[Path]:
        """Give the files of safetensors that hold a folder's weights.

        Args:
            folder: A checkpoint's, of others or of this package.

        Raises:
            CheckpointError: When there are none where there should be some.
        """
        from vla_accel_ros.models.checkpoints.weights import shards

        return shards(folder)

    def notes(self, folder: Path) -> list[str]:
        """Say what a user should know of how a folder is read, a line each."""
        return []

    def beside(self, folder: Path) -> dict[str, tuple[Path, Tensor]]:
        """Read the tensors that a folder has in other files than those of its weights.

        Args:
            folder: A checkpoint's, of others or of this package.

        Returns:
            By its name, as `sources` has it, the file and the tensor; it replaces the weights'
            one.

        Raises:
            CheckpointError: When a file cannot be used.
        """
        return {}

    def never_runs(self, config: VLAConfig, name: str) -> bool:
        """Say whether a stored tensor that the model does not have may be left out.

        Args:
            config: The model's.
            name: The tensor's.
        """
        return False

    def sources(self, config: VLAConfig, stored: Collection[str]) -> Sources:
        """Say which stored tensors a model's are, where they have other names.

        Args:
            config: The model's.
            stored: Names in the files.

        Returns:
            By the model's name the stored one, or several that stand below one another in it.
            What is not there has its own name.
        """
        return {}

    def precise(self, config: VLAConfig, name: str) -> bool:
        """Say whether a tensor of the model stays float32 where the model is of a smaller type."""
        return False

    def prompts(self, folder: Path, config: VLAConfig) -> PromptEncoder:
        """Load what makes token ids of instructions.

        Raises:
            TokenizerError: When the folder's tokeniser is missing or does not fit.
        """
        from vla_accel_ros.models.tokenizer import load_prompt_encoder

        return load_prompt_encoder(folder, config)

    def reader(self, config: VLAConfig, unnorm_key: str | None) -> ActionReader:
        """Make what reads a head's normalised numbers as actions of a data set.

        Raises:
            UnnormKeyError: When the key is missing or wrong.
            ValueError: When the statistics do not fit.
        """
        from vla_accel_ros.models.action_reader import ActionReader

        return ActionReader(config, unnorm_key)

    def proprio(self, config: VLAConfig, key: str) -> Proprioception | None:
        """Make what scales proprioception; None where the checkpoint wants none.

        Raises:
            ProprioError: When the statistics of the data set do not fit.
        """
        from vla_accel_ros.models.proprio import Proprioception

        return Proprioception(config, key) if config.proprio else None

    # -- models ----------------------------------------------------------------------------------

    @abstractmethod
    def build(self, config: VLAConfig) -> VLA:
        """Build a model with random weights."""

    @abstractmethod
    def head(self, model: VLA, statistics: ActionStatistics) -> ActionHead:
        """Make what answers with a model.

        Args:
            model: What `build` gave.
            statistics: Of the data set whose actions it answers, in m and rad.
        """

    def about(self, config: VLAConfig) -> list[str]:
        """Say in a few words what a robot must provide, and what it gets."""
        from vla_accel_ros.action_space import END_EFFECTOR

        head = config.head
        said = [f'{head.title}', f'{config.cameras} camera(s)']
        if config.proprio:
            said.append(f'{config.proprio} numbers of state, scaled to their range')
        width = config.action_dims
        names = ' '.join(END_EFFECTOR.names) if width == END_EFFECTOR.width else f'{width} columns'
        said.append(f'{head.answer(width)}: {names}, scaled from their range')
        return said

    def cost(self, config: VLAConfig) -> HeadCost:
        """Give what the head takes; by default next to nothing beside the prompt's pass."""
        from vla_accel_ros.models.cost.head_cost import HeadCost

        return HeadCost(config)
