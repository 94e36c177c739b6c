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

"""What a training run learns: the modules that change, their losses, and the model they give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training.answers import Answers
from vla_accel_ros.training.batches import Batch
from vla_accel_ros.training.recipe_parts import Stage


@dataclass
class Losses:
    """What a step says about itself.

    Attributes:
        total: The weighted sum, to be differentiated.
        parts: Each loss unweighted, and the errors that a person can read.
    """

    total: Tensor
    parts: dict[str, float]


# From a batch and a source of noise on the CPU to the losses of one step.
Step = Callable[[Batch, torch.Generator], Losses]


class Lesson(ABC):
    """One way to train.

    Attributes:
        config: Of the model, without statistics.
        modules: What is trained, by name.
        begins: What is said of where the weights come from; empty where from nothing.
    """

    config: VLAConfig
    modules: dict[str, nn.Module]
    begins: str = ''

    @abstractmethod
    def step(self, stage: Stage, prompts: list[list[int]], asks: int) -> Step:
        """Prepare a stage and return what computes a step of it.

        Args:
            stage: The stage.
            prompts: Token ids of each instruction that its frames are labelled for.
            asks: Instructions asked of one image.
        """

    @abstractmethod
    def model(self, config: VLAConfig, weights: Callable[[str], dict[str, Tensor]]) -> VLA:
        """Return a float32 copy of the model.

        Args:
            config: Its configuration, with statistics.
            weights: Gives the weights of one of `modules` by its name.
        """

    @abstractmethod
    def answers(self, model: VLA) -> Answers:
        """Return what a model that `model` gave answers to many images at once."""

    @abstractmethod
    def line(self, means: dict[str, float]) -> str:
        """Say in words what the mean losses of some steps are."""
