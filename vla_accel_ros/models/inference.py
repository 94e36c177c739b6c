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

"""What all steps of one inference share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine, Program, Tensors, call
from vla_accel_ros.models.choice import Choice
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Scene

Watch = Callable[[str], AbstractContextManager]


class Inference:
    """A model, the engine that runs its programs, and the pruner in between.

    Args:
        model: The model.
        pruner: How visual tokens are pruned.
        scene: What the pruner may look at.
        engine: What runs the programs.
        watch: Called with a stage's name, gives the context that times it.

    Attributes:
        model: The model.
        choice: The pruner's part.
        engine: What runs the programs.
        watch: As given.
    """

    def __init__(
        self,
        model: VLA,
        pruner: Pruner,
        scene: Scene,
        engine: Engine = EAGER,
        watch: Watch = nullcontext,
    ) -> None:
        self.model, self.engine, self.watch = model, engine, watch
        with watch('selection'):
            self.choice = Choice(pruner, scene)

    def run(
        self, program: Program, given: Tensors, room: Tensors | None = None
    ) -> dict[str, Tensor]:
        """Run a program; see `Program.run`."""
        return call(self.engine, program, given, room)
