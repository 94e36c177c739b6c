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

"""Inputs of programs, kept as they come by: what quantisation is calibrated on."""

from __future__ import annotations

from collections.abc import Iterator
import hashlib
from typing import ClassVar

from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Bucket, Program, Runner, Tensors

RECORDED = ('vision', 'projector', 'span', 'head')


class Calibration:
    """An engine that runs programs as eager does, and keeps what they were given.

    A policy that runs on it while it answers recorded frames leaves here what `int8` is measured
    on. Programs that decode are not recorded: they are never calibrated, and the memory of keys
    and values would be kept with each.

    Args:
        most: Samples of one program at most; those after them are not kept.
    """

    name: ClassVar[str] = 'calibration'
    precision = 'float32'
    exact = True

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._kept: dict[Program, list[dict[str, Tensor]]] = {}

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program and keeps its inputs; see `Engine.ready`."""
        runner = EAGER.ready(program, bucket)
        if program.name not in RECORDED:
            return runner
        samples = self._kept.setdefault(program, [])

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            if len(samples) < self._most:
                samples.append({name: tensor.clone() for name, tensor in given.items()})
            return runner(given, room)

        return run

    def samples(self, program: Program) -> list[dict[str, Tensor]]:
        """Give the inputs of a program, in the order they came; none where it was never run."""
        return self._kept.get(program, [])

    def digest(self, program: Program) -> str:
        """Give a digest of a program's inputs, the same for the same frames."""
        state = hashlib.sha256()
        for name, tensor in self._named(program):
            state.update(f'{name} {tuple(tensor.shape)} {tensor.dtype}'.encode())
            state.update(tensor.contiguous().numpy().tobytes())
        return state.hexdigest()

    def _named(self, program: Program) -> Iterator[tuple[str, Tensor]]:
        for sample in self.samples(program):
            yield from sorted(sample.items())
