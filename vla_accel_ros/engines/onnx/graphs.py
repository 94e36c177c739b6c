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

"""The graphs of a model's programs, made when they are first asked for and kept on disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from torch import nn

from vla_accel_ros.engines.interface import EngineError, Program
from vla_accel_ros.engines.onnx.facts import code_of, facts_of
from vla_accel_ros.engines.onnx.own_layers import fits
from vla_accel_ros.engines.onnx.own_pass import OwnPass
from vla_accel_ros.engines.onnx.signature import Port, ports
from vla_accel_ros.engines.onnx.weights import StoredWeights, Weights
from vla_accel_ros.engines.programs.decoder import Loop, Pass, general
from vla_accel_ros.engines.store import Store

FILE = 'graph.onnx'
# Attention is decomposed in it, which all runtimes read.
OPSET = 20
# Bytes; a second copy of larger weights costs more than it saves.
LARGE = 2**30
_MAKERS = ('torch', 'onnx', 'onnxscript')


@dataclass(frozen=True)
class Graph:
    """A program's graph on disk, with its weights beside it.

    Attributes:
        path: The ONNX file.
        inputs: What goes in, in order, of one sample.
        outputs: Names of what comes out, in order.
        key: What it was made of, the same in every process; for keys of what is made of it.
        own: Whether it has operators that ONNX Runtime alone has.
        float8: Whether it has products of FP8 numbers, which not every card has.
    """

    path: Path
    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]
    key: dict[str, str]
    own: bool = False
    float8: bool = False


class Graphs:
    """The graphs of a model.

    Args:
        model: In evaluation mode; its numbers must not change any more.
        store: Where graphs and weights are kept.
        weights: Where the model's tensors lie. When None those of a large model that was loaded
            from files stay there, and others are written to a file in the store.
        opset: Version of ONNX's operators.
        packed: Whether passes of a few tokens multiply with matrices that the model has packed;
            else each weight is used under its own name, as in the checkpoint and by all others.
    """

    def __init__(
        self,
        model: nn.Module,
        store: Store,
        weights: Weights | None = None,
        opset: int = OPSET,
        packed: bool = True,
    ) -> None:
        self._model, self._store, self._opset, self._packed = model, store, opset, packed
        if weights is None and _large(model):
            weights = model.on_disk()  # type: ignore[operator]
            self._packed = False
        self._weights = StoredWeights(model, store) if weights is None else weights
        self._found: dict[tuple[Program, bool], Graph] = {}

    @property
    def weights_digest(self) -> str:
        """What keys of the graphs, and of what is made of them, have as `weights`."""
        return self._weights.digest

    @cached_property
    def _shared_key(self) -> dict[str, str]:
        return {
            'weights': self.weights_digest,
            'code': code_of(self._model),
            'dtype': str(self._model.dtype),
            'opset': str(self._opset),
            'packed': str(self._packed),
            **{maker: _version(maker) for maker in _MAKERS},
        }

    def has_own(self, program: Program) -> bool:
        """Say whether ONNX Runtime's own operators can do what a program does."""
        return isinstance(program, (Pass, Loop)) and fits(program.decoder)

    def graph(self, program: Program, own: bool = False) -> Graph:
        """Give the graph of a program, exported first where it is not there.

        Args:
            program: The program.
            own: Whether to take ONNX Runtime's own operators, on its CPU; see `has_own`.

        Raises:
            EngineError: When it cannot be exported or stored.
        """
        program = general(program)
        own = own and self.has_own(program)
        if (program, own) not in self._found:
            inputs, facts = ports(program, self._model), facts_of(program, self._model)
            operators = {'operators': 'of ONNX Runtime'} if own else {}
            key = {'kind': f'graph of {program.name}', **facts, **operators, **self._shared_key}

            def build(folder: Path) -> None:
                self._export(program, inputs, folder, own)

            path = self._store.get(key, build) / FILE
            self._found[program, own] = Graph(path, inputs, program.outputs, key, own)
        return self._found[program, own]

    def _export(self, program: Program, inputs: tuple[Port, ...], folder: Path, own: bool) -> None:
        for maker in _MAKERS:
            if _version(maker) == 'none':
                raise EngineError(f'{maker} is not installed, and a graph is made with it')
        from onnxscript import ir

        from vla_accel_ros.engines.onnx.export import export
        from vla_accel_ros.engines.onnx.loop import unrolled

        self._weights.put(folder)
        # Of many rows one product gains nothing, and what it gives has to be cut apart.
        packed = self._packed and isinstance(program, (Pass, Loop))
        rest = self._model, inputs, self._weights, self._opset, packed
        if isinstance(program, Loop):
            made = unrolled(program, *rest, own)
        elif own and isinstance(program, Pass):
            made = export(OwnPass(program), *rest)
        else:
            made = export(program, *rest)
        ir.save(made, folder / FILE)


def _large(model: nn.Module) -> bool:
    """Say whether a model is too large to be written again, and lies in files already."""
    size = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    return size > LARGE and getattr(model, 'on_disk', None) is not None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return 'none'
