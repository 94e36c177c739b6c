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

"""Inputs of programs on recorded frames: what int8 throughout and float8 are measured on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import ClassVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
import torch
from torch import Tensor, nn

from vla_accel_ros.engines.digest import digest_of
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Bucket, EngineError, Program, Runner, Tensors
from vla_accel_ros.engines.onnx.facts import facts_of

RECORDED = ('vision', 'projector', 'span', 'head')
KIND = 'calibration frames'
MOST = 32
Sample = dict[str, Tensor]


class Calibration:
    """An engine that runs programs as eager does, and keeps what they were given.

    A policy that runs on it while it answers recorded frames leaves here what `int8` and `float8`
    are measured on. Programs that decode are not recorded: they are never calibrated, and the
    memory of keys and values would be kept with each.

    Args:
        model: Whose programs are run.
        most: Samples of one program at most; those after them are not kept.
    """

    name: ClassVar[str] = 'calibration'
    # Of eager: the type of the weights, whatever that is.
    precision = 'float32'
    exact = True

    def __init__(self, model: nn.Module, most: int = MOST) -> None:
        self._model, self._most = model, most
        self._kept: dict[str, list[Sample]] = {}

    @staticmethod
    def is_one(file: Path) -> bool:
        """Say whether a file is what `save` writes."""
        try:
            with safe_open(str(file), 'pt') as opened:
                return (opened.metadata() or {}).get('kind') == KIND
        except (OSError, SafetensorError):
            return False

    @classmethod
    def load(cls, file: str | Path, model: nn.Module) -> Calibration:
        """Read what `save` wrote.

        Raises:
            EngineError: When the file cannot be read, or is of another checkpoint.
        """
        found = cls(model)
        try:
            with safe_open(str(file), 'pt') as opened:
                if (opened.metadata() or {}).get('weights') != digest_of(model):
                    raise EngineError(f'{file} has calibration frames of another checkpoint')
                for key in opened.keys():  # noqa: SIM118, it is no mapping
                    program, number, name = key.split('/')
                    samples = found._kept.setdefault(program, [])
                    samples += [{} for _ in range(int(number) + 1 - len(samples))]
                    samples[int(number)][name] = opened.get_tensor(key)
        except (OSError, SafetensorError, ValueError) as error:
            if isinstance(error, EngineError):
                raise
            raise EngineError(f'calibration frames cannot be read: {file}: {error}') from error
        return found

    def save(self, file: Path) -> None:
        """Write all inputs to a file.

        Raises:
            OSError: When it cannot be written.
        """
        tensors = {
            f'{program}/{number}/{name}': tensor.contiguous()
            for program, samples in self._kept.items()
            for number, sample in enumerate(samples)
            for name, tensor in sample.items()
        }
        save_file(tensors, str(file), {'kind': KIND, 'weights': digest_of(self._model)})

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program and keeps its inputs; see `Engine.ready`."""
        runner = EAGER.ready(program, bucket)
        if program.name not in RECORDED:
            return runner
        samples = self._kept.setdefault(self._place(program), [])

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            if len(samples) < self._most:
                samples.append(
                    {name: tensor.to('cpu', copy=True) for name, tensor in given.items()}
                )
            return runner(given, room)

        return run

    def samples(self, program: Program) -> list[Sample]:
        """Give the inputs of a program, in the order they came; none where it was never run."""
        return self._kept.get(self._place(program), [])

    def digest(self, program: Program) -> str:
        """Give a digest of a program's inputs, the same for the same frames."""
        state = hashlib.sha256()
        for sample in self.samples(program):
            for name, tensor in sorted(sample.items()):
                state.update(f'{name} {tuple(tensor.shape)} {tensor.dtype}'.encode())
                state.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        return state.hexdigest()

    def _place(self, program: Program) -> str:
        facts = json.dumps(facts_of(program, self._model), sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:16]
