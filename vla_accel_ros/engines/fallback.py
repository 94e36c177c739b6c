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

"""An engine in front of another one, which runs what the first cannot."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from vla_accel_ros.engines.interface import (
    NETWORKS,
    WITHOUT_GRAPHS,
    Bucket,
    Engine,
    EngineError,
    Program,
    Runner,
    Tensors,
)

Told = Callable[[str], None]
# What is told where an engine gives the program's own function in the place of one of its own.
HEAVY = (*NETWORKS, *WITHOUT_GRAPHS)


class Fallback:
    """Run programs on one engine, and on another where that raises `EngineError`.

    What was refused once is not tried again: a program in a bucket that has failed goes to the
    next engine from then on.

    Args:
        first: The engine that was asked for.
        behind: The engine for what the first one cannot run.
        told: Called with each new reason, in the thread that infers; not called twice with the
            same one.

    Attributes:
        name: Of the first.
        precision: Of the first; what runs on the other is computed in the other's.
        exact: Whether both are.
        reasons: Why a program does not run on the first engine, newest last, by the program's
            name.
        left: The same of programs that the first engine leaves to themselves, where that costs
            something.
    """

    # As instances have different ones, this is no class variable as in `Engine`.
    name: str

    def __init__(self, first: Engine, behind: Engine, told: Told | None = None) -> None:
        self.name, self.precision = first.name, first.precision
        self.exact = first.exact and behind.exact
        self.first, self.behind = first, behind
        self.reasons: dict[str, str] = {}
        self.left: dict[str, str] = {}
        self._told = told
        self._refused: set[tuple[Program, Bucket]] = set()

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program on inputs of these shapes; see `Engine.ready`."""
        if self._refused and (program, bucket) in self._refused:
            return self.behind.ready(program, bucket)
        try:
            runner = self.first.ready(program, bucket)
        except EngineError as error:
            self._refuse(program, bucket, error)
            return self.behind.ready(program, bucket)
        alone = self.first is self.behind
        if (
            not alone
            and program.name in HEAVY
            and isinstance(getattr(runner, '__self__', None), type(program))
        ):
            # It gives the program's own function.
            self._tell(self.left, program, f'{self.name} does not take it')

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            try:
                return runner(given, room)
            except EngineError as error:
                # Raised before anything is written, so the other one begins from the same.
                self._refuse(program, bucket, error)
            return self.behind.ready(program, bucket)(given, room)

        return run

    def _refuse(self, program: Program, bucket: Bucket, error: EngineError) -> None:
        self._refused.add((program, bucket))
        self._tell(self.reasons, program, ' '.join(str(error).split()))

    def _tell(self, where: dict[str, str], program: Program, reason: str) -> None:
        known = where.get(program.name)
        where[program.name] = reason
        if reason != known and self._told is not None:
            self._told(f'{program.name} runs on {self.behind.name}: {reason}')
