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

"""Programs compiled by `torch.compile`: operations beside one another become one kernel."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
import os
from pathlib import Path
from threading import Lock
from types import FunctionType
from typing import Any, ClassVar, cast
from zlib import crc32

import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Bucket, EngineError, Program, Runner, Tensors, call
from vla_accel_ros.engines.programs.decoder import Loop, Pass, general

# Those with enough to fuse. Of the others a call of what is compiled would take as long.
COMPILED = ('vision', 'projector', 'span', 'pass', 'loop', 'head', 'denoise')
# How many tokens a span has differs from prompt to prompt and from drop to drop: after the first
# length, for which it is fastest, it is compiled for all others at once.
OF_ANY_LENGTH = ('span',)
CACHE = 'TORCHINDUCTOR_CACHE_DIR'


class Compiled:
    """Compile each program in one piece, once a bucket or once for all lengths.

    The first run of each takes seconds to minutes and, on a CPU, a C++ compiler.

    Args:
        precision: That of the weights.
        folder: Where what was compiled is kept, for all of this process and for later ones; where
            torch keeps it if None.
        backend: What compiles, as torch names it.
    """

    name: ClassVar[str] = 'compile'
    exact = True

    def __init__(
        self, precision: str = 'float32', folder: Path | None = None, backend: str = 'inductor'
    ) -> None:
        self.precision, self._backend = precision, backend
        if folder is not None:
            os.environ[CACHE] = str(folder)
        self._made: dict[Any, _Compiling] = {}
        self._lock = Lock()

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what is compiled at its first run; see `Engine.ready`."""
        program = general(program)
        if program.name not in COMPILED:
            return EAGER.ready(program, bucket)
        if isinstance(program, Loop):
            return partial(self._step_by_step, program)
        key = program if program.name in OF_ANY_LENGTH else (program, bucket)
        with self._lock:
            if key not in self._made:
                self._made[key] = _Compiling(program, self._backend)
            made = self._made[key]
        if made.failure:
            raise EngineError(made.failure)
        return made

    def _step_by_step(self, loop: Loop, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run a loop pass by pass: one pass compiles in a part of the time of them all."""
        if 'store' not in room:
            return loop.run(given, room)
        step = Pass(loop.decoder, loop.head, loop.taps)
        token, made = given['token'], []
        for place in range(loop.count):
            now = {
                'tokens': token,
                'positions': given['position'] + place,
                'store': given['store'],
                'lengths': given['lengths'] + place,
            }
            done = call(self, step, now, room)
            peaks, token = done.pop('logits')[:, 0].max(-1, keepdim=True)
            made.append({'tokens': token, 'peaks': peaks, **done})
        along = {'tokens': 1, 'peaks': 1, 'new': 4}
        return {
            name: torch.cat([each[name] for each in made], along.get(name, 2))
            for name in loop.outputs
        }


class _Compiling:
    """A program that is compiled when it first runs.

    Attributes:
        failure: Why it could not be, empty where it could or was not tried yet.
    """

    def __init__(self, program: Program, backend: str) -> None:
        self._program, self.failure = program, ''
        dynamic = None if program.name in OF_ANY_LENGTH else False
        self._run = cast(
            Runner,
            torch.compile(_own_code(program), fullgraph=True, dynamic=dynamic, backend=backend),
        )

    def __call__(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        from torch._dynamo.exc import FailOnRecompileLimitHit

        name, outputs = self._program.name, self._program.outputs
        try:
            with torch.inference_mode():
                result = self._run(given, room)
        except (RuntimeError, OSError, FailOnRecompileLimitHit) as error:
            self.failure = f'{name} cannot be run compiled: {_reason(error)}'
            raise EngineError(self.failure) from error
        if set(result) != set(outputs):
            self.failure = f'{name}, compiled, gives {sorted(result)}, expected {sorted(outputs)}'
            raise EngineError(self.failure)
        return result


def _own_code(program: Program) -> Runner:
    """Give the program's function with code of its own.

    By its code torch counts what it compiled, and by the code's name it remembers which numbers
    differed from call to call and are no constants. The layers in a program's fields must be
    constants, or their comparisons come out wrong (seen with torch 2.13). So the name says what
    the fields are.
    """

    def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
        return program.run(given, room)

    facts = [getattr(program, each.name) for each in fields(program)]  # type: ignore[arg-type]
    text = repr([fact for fact in facts if not callable(fact)])
    code = run.__code__.replace(co_name=f'{program.name}_{crc32(text.encode()):08x}')
    return cast(Runner, FunctionType(code, globals(), None, None, run.__closure__))


def _reason(error: BaseException) -> str:
    """Give the first line that says something."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line), type(error).__name__)
