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

"""The graphs of a model with FP8 products, in ranges measured on recorded frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import nn

from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.interface import EngineError, Program
from vla_accel_ros.engines.onnx.float8 import quantise
from vla_accel_ros.engines.onnx.graphs import FILE, Graph, Graphs
from vla_accel_ros.engines.onnx.magnitudes import magnitudes
from vla_accel_ros.engines.store import Store

# What decodes gains nothing from narrower activations, and most changed tokens would come from it.
QUANTISED = ('vision', 'projector', 'span')


class Float8Graphs(Graphs):
    """Graphs whose towers, projector and spans multiply FP8 numbers; all others are as they are.

    Args:
        model: As of `Graphs`.
        store: As of `Graphs`.
        calibration: Inputs of programs on recorded frames.
    """

    def __init__(self, model: nn.Module, store: Store, calibration: Calibration) -> None:
        super().__init__(model, store)
        self._calibration = calibration

    def graph(self, program: Program, own: bool = False) -> Graph:
        """Give the graph of a program; see `Graphs.graph`.

        Raises:
            EngineError: Also when no recorded frame ran the program.
        """
        plain = super().graph(program, own)
        if program.name not in QUANTISED:
            return plain
        samples = self._calibration.samples(program)
        if not samples:
            raise EngineError(
                f'no calibration frame ran the program {program.name}: float8 needs recorded '
                'frames of this checkpoint with this method'
            )
        key = {
            **plain.key,
            'kind': f'float8 graph of {program.name}',
            'bits': f'float8 E4M3, {self._calibration.digest(program)}',
        }

        def build(folder: Path) -> None:
            from onnxscript import ir

            made = ir.load(plain.path)
            largest = magnitudes(program, self._model, samples)
            weights = dict(self._model.named_parameters(remove_duplicate=False))
            quantise(made, weights, largest, folder)
            self._weights.put(folder)
            ir.save(made, folder / FILE)

        return replace(plain, path=self._store.get(key, build) / FILE, key=key, float8=True)
