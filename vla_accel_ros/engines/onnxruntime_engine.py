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

"""ONNX Runtime in float32: each program's graph in a session of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import NETWORKS, Bucket, EngineError, Program, Runner, Tensors
from vla_accel_ros.engines.new_rows import keep
from vla_accel_ros.engines.onnx.graphs import Graph, Graphs
from vla_accel_ros.engines.onnxruntime_binding import run_bound
from vla_accel_ros.engines.onnxruntime_providers import (
    BY_DEVICE,
    CPU,
    TENSORRT,
    options_of,
    without_tf32,
)
from vla_accel_ros.engines.programs.decoder import general

Run = Callable[[dict[str, Tensor]], list[Tensor]]


class OnnxRuntime:
    """Run programs on ONNX Runtime.

    Args:
        graphs: Gives the ONNX graph of a program, of a float32 model; of one on the CPU for the
            CPU's provider.
        providers: What runs the graphs, as ONNX Runtime names it, the first that can.
        gpu: Number of the GPU, where a provider is for one.
        plans: Folder for what TensorRT builds; None keeps nothing.
        bound: Whether tensors stay on their device, as `run_bound` has it; when None they go
            through numpy only where the CPU comes first, which is faster there.

    Attributes:
        notes: By program, what runs it in the place of what would be faster, and why.

    Raises:
        EngineError: When ONNX Runtime is not installed, or has no such provider.
    """

    name: ClassVar[str] = 'onnxruntime'
    precision = 'float32'
    exact = True

    def __init__(
        self,
        graphs: Graphs,
        providers: Sequence[str] = BY_DEVICE['cpu'],
        gpu: int = 0,
        plans: Path | None = None,
        bound: bool | None = None,
    ) -> None:
        there = library().get_available_providers()
        for provider in providers:
            if provider not in there:
                raise EngineError(
                    f'onnxruntime has no provider {provider}, expected one of {", ".join(there)}'
                )
        self._graphs, self._providers = graphs, list(providers)
        self._gpu, self._plans = gpu, plans
        self._bound = providers[0] != CPU if bound is None else bound
        self._runs: dict[Program, Run] = {}
        self.notes: dict[str, str] = {}

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program; see `Engine.ready`."""
        # All others are so small that a session's call takes longer than they do.
        if program.name not in NETWORKS:
            return program.run
        held, run_session = getattr(program, 'held', None), self._runs.get(program)
        if run_session is None:
            run_session = self._runs[general(program)] = self._run_of(general(program))
        inputs, outputs = program.inputs, program.outputs

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            try:
                found = run_session({name: given[name] for name in inputs})
            # The errors of ONNX Runtime have no other class in common.
            except Exception as error:
                reason = ' '.join(str(error).split())
                raise EngineError(f'onnxruntime does not run {program.name}: {reason}') from error
            # By their order: an output may be called as an input is.
            done = dict(zip(outputs, found, strict=True))
            if room:
                keep(done, given, room, held)
            return done

        return run

    def _run_of(self, program: Program) -> Run:
        """Give what runs the graph of a program, in ONNX Runtime's own operators where it can."""

        def plain() -> Run:
            return self._loaded(self._graphs.graph(program))

        if self._providers[0] != CPU or not self._graphs.has_own(program):
            return plain()

        def told(error: Exception) -> None:
            self.notes[program.name] = f"ONNX's own operators, which take longer: {_line(error)}"

        try:
            own = self._loaded(self._graphs.graph(program, own=True))
        except EngineError as error:
            # Another version of torch or ONNX Runtime may lack an operator.
            told(error)
            return plain()
        return _OwnFirst(own, plain, told)

    def _loaded(self, graph: Graph) -> Run:
        return partial(run_bound if self._bound else _by_numpy, self._session(graph))

    def _session(self, graph: Graph) -> Any:
        onnxruntime = library()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        # Its warnings are of nodes that it places elsewhere; errors are raised anyway.
        options.log_severity_level = 3
        # Each session has threads of its own. Those that spin while they wait take the cores from
        # the session that works.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        plans = None
        if TENSORRT in self._providers:
            without_tf32()
            # The name that a plan gets does not tell the weights in it: each graph has a folder.
            plans = self._plans and self._plans / graph.path.parent.name
        providers = [(each, options_of(each, self._gpu, plans)) for each in self._providers]
        try:
            if plans is not None:
                plans.mkdir(parents=True, exist_ok=True)
            # By itself it would go on with other providers, and say so on standard output.
            session = onnxruntime.InferenceSession(
                str(graph.path), options, providers=providers, enable_fallback=0
            )
        except Exception as error:
            reason = ' '.join(str(error).split())
            raise EngineError(f'onnxruntime cannot load {graph.path}: {reason}') from error
        if session.get_providers()[0] != self._providers[0]:
            raise EngineError(
                f'onnxruntime lists the provider {self._providers[0]}, which does not load here: '
                'standard error has its reason'
            )
        return session


class _OwnFirst:
    """Runs a graph of ONNX Runtime's own operators, and one of ONNX's once that fails.

    Args:
        own: Runs the first.
        plain: Makes what runs the second.
        told: Told why the first one does not.
    """

    def __init__(
        self, own: Run, plain: Callable[[], Run], told: Callable[[Exception], None]
    ) -> None:
        self._run, self._plain, self._told = own, plain, told
        self._own = True

    def __call__(self, given: dict[str, Tensor]) -> list[Tensor]:
        if self._own:
            try:
                return self._run(given)
            # The errors of ONNX Runtime have no other class in common.
            except Exception as error:
                self._told(error)
                self._run, self._own = self._plain(), False
        return self._run(given)


def library() -> Any:
    """Import `onnxruntime`.

    Raises:
        EngineError: When it is not installed, or does not load.
    """
    if find_spec('onnxruntime') is None:
        raise EngineError('onnxruntime is not installed')
    try:
        return import_module('onnxruntime')
    except Exception as error:  # a broken library may fail in any way
        raise EngineError(f'onnxruntime does not load: {_line(error)}') from None


def _line(error: Exception) -> str:
    return ' '.join(str(error).split()) or type(error).__name__


def _by_numpy(session: Any, given: dict[str, Tensor]) -> list[Tensor]:
    """Run a session on tensors of the CPU; gives the outputs in its order."""
    found = session.run(None, {name: tensor.numpy() for name, tensor in given.items()})
    return [torch.from_numpy(value) for value in found]
