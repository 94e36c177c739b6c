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

"""Programs that are one function of a model or of a module, without further facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from vla_accel_ros.engines.interface import Tensors


@dataclass(frozen=True)
class Call:
    """A function with one result: a head, a projector, the embedding of a prompt.

    Attributes:
        name: Of the program.
        function: A module, or a method of one; called with the inputs in order.
        inputs: Names of the inputs.
        output: Name of the result.
    """

    name: str
    function: Callable[..., Tensor]
    inputs: tuple[str, ...]
    output: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """The one output."""
        return (self.output,)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Call the function; see `Program.run`."""
        return {self.output: self.function(*(given[name] for name in self.inputs))}


@dataclass(frozen=True)
class Narrow:
    """Keep some rows of a sequence: `x` [B, S, width] at the places `stay` int [n]."""

    name = 'narrow'
    inputs = ('x', 'stay')
    outputs = ('x',)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Take the rows; see `Program.run`."""
        return {'x': given['x'][:, given['stay']]}
