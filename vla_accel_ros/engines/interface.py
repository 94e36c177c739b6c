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

"""What a program is, and what an engine is.

A model is made of programs: pure functions over the weights of `layers`, tensors in, tensors out.
Within a program nothing is read on the host, no shape depends on a value and nothing is copied
between devices, so that a program can be captured, exported or compiled. All that needs the host,
the choice of visual tokens above all, happens between programs.

An engine turns a program and a bucket of shapes into something that can be called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from torch import Tensor

Tensors = Mapping[str, Tensor]
# The shape of each input, by name: for these a program is compiled.
Bucket = tuple[tuple[str, tuple[int, ...]], ...]
Runner = Callable[[Tensors, Tensors], dict[str, Tensor]]


class Program(Protocol):
    """A pure function, declared.

    A program is a frozen dataclass. Its fields are the modules whose weights it uses and its
    static facts; programs of equal fields are equal, so that engines may keep what they built by
    program and bucket.
    """

    @property
    def name(self) -> str:
        """What it is, the same for all facts."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in; all of them must be given."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Compute the outputs.

        Args:
            given: The inputs by name.
            room: Memory that outputs are to be written in, by the output's name; where an output
                goes on from an input, as new keys go on from past ones, the input's memory with
                room behind it. Only such outputs are ever written to, and with no room given
                nothing is.
        """


# Programs of this package that multiply matrices and that engines have graphs of, by name; and
# those that they leave to eager. All others are a few kernels each.
NETWORKS = (
    *('vision', 'projector', 'span', 'pass', 'loop', 'head'),
    *('leading', 'velocity', 'denoise'),
)
WITHOUT_GRAPHS = ('vision_begin', 'vision_finish', 'cross_prefix')


class EngineError(ValueError):
    """An engine cannot run a program here; the text says why in one line."""


class Engine(Protocol):
    """A way to run programs. Every engine agrees with `engines.eager`, the reference.

    Attributes:
        name: As users choose it.
        precision: What it computes in: `float32`, `bfloat16`, `float16`, `int8` or
            `float8`.
        exact: Whether its tokens are those of eager, but for ties.
    """

    name: ClassVar[str]
    precision: str
    exact: bool

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program on inputs of these shapes; it is called as `Program.run`.

        Raises:
            EngineError: When it cannot. What is given may raise it, too, before it writes.
        """


def bucket_of(given: Tensors) -> Bucket:
    """Give the shapes of inputs."""
    return tuple((name, tuple(tensor.shape)) for name, tensor in given.items())


def call(
    engine: Engine, program: Program, given: Tensors, room: Tensors | None = None
) -> dict[str, Tensor]:
    """Run a program on an engine; see `Program.run`."""
    return engine.ready(program, bucket_of(given))(given, room or {})
