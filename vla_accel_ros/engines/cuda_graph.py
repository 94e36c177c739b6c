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

"""Programs as CUDA graphs: what took thousands of launches is one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from itertools import starmap
from threading import Lock
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vla_accel_ros.engines.compiled import Compiled
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import (
    NETWORKS,
    Bucket,
    Engine,
    EngineError,
    Program,
    Runner,
    Tensors,
)
from vla_accel_ros.engines.programs.decoder import general
from vla_accel_ros.engines.recorders import Recorder, Recording

# Those that launch many kernels. The others are a few kernels each, and copying inputs and
# outputs would take as many.
# Captured graphs that are kept. A call takes up to ten, and a method that keeps other numbers of
# tokens from call to call some tens.
KEPT = 128
# Where a tensor is: name, address, shape, strides, type.
Place = tuple[str, int, tuple[int, ...], tuple[int, ...], torch.dtype]


class CudaGraph:
    """Capture each program once a bucket, then replay it.

    Inputs are copied into memory of the graph's own, and outputs out of it, all on the device: no
    tensor that is given away is overwritten later. Memory that is given as room is bound by its
    address and never copied; an input of a room's name and address is that room. Room elsewhere
    makes another graph. Nothing waits for the device but a capture.

    Weights are bound by their addresses, too, and kept alive: a graph whose weights were moved is
    captured anew. Those that were exchanged behind a module's back are not noticed.

    Args:
        recorder: What captures and replays; `recorders.HostRecorder` needs no GPU.
        precision: That of the weights.
        kept: Graphs that are kept at most; the one that was not used for longest goes.
        inner: What runs a program while it is captured, and those that are not captured.
    """

    name: ClassVar[str] = 'cuda_graph'
    exact = True

    def __init__(
        self,
        recorder: Recorder,
        precision: str = 'float32',
        kept: int = KEPT,
        inner: Engine = EAGER,
    ) -> None:
        if kept < 1:
            raise ValueError(f'{kept} graphs are to be kept, expected at least 1')
        self.precision, self.exact = precision, inner.exact
        self._recorder, self._kept, self._inner = recorder, kept, inner
        self._graphs: OrderedDict[Any, _Captured] = OrderedDict()
        self._failed: dict[Any, str] = {}
        self._lock = Lock()

    @property
    def captured(self) -> tuple[tuple[Program, Bucket], ...]:
        """Programs and buckets of the graphs that are kept, those used last at the end."""
        return tuple((graph.program, graph.bucket) for graph in self._graphs.values())

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what captures at its first run and replays afterwards; see `Engine.ready`."""
        program = general(program)
        if program.name not in NETWORKS:
            return EAGER.ready(program, bucket)
        if (program, bucket) in self._failed:
            raise EngineError(self._failed[program, bucket])
        return partial(self._run, program, bucket)

    def _run(
        self, program: Program, bucket: Bucket, given: Tensors, room: Tensors
    ) -> dict[str, Tensor]:
        with self._lock, torch.inference_mode():
            types = tuple(tensor.dtype for tensor in given.values())
            bound = _bound(given, room)
            key = (program, bucket, types, bound, tuple(starmap(_place, room.items())))
            graph = self._graphs.get(key)
            if graph is None or graph.moved:
                graph = self._capture(program, bucket, given, room)
                self._graphs[key] = graph
            self._graphs.move_to_end(key)
            return graph(given, room)

    def _capture(
        self, program: Program, bucket: Bucket, given: Tensors, room: Tensors
    ) -> _Captured:
        while len(self._graphs) >= self._kept:
            self._drop(1)
        # What says that it cannot run the program says so here.
        runner = self._inner.ready(program, bucket)
        try:
            return _Captured(self._recorder, runner, program, bucket, given, room)
        except torch.OutOfMemoryError as error:
            if not self._graphs:
                raise self._failure(program, bucket, error) from error
            self._drop(len(self._graphs))
        except RuntimeError as error:
            raise self._failure(program, bucket, error) from error
        return self._capture(program, bucket, given, room)

    def _drop(self, count: int) -> None:
        self._recorder.settle()
        for _ in range(count):
            self._graphs.popitem(last=False)

    def _failure(self, program: Program, bucket: Bucket, error: Exception) -> EngineError:
        reason = f'{str(error).strip() or type(error).__name__}'.splitlines()[0]
        text = f'{program.name} cannot be captured as a CUDA graph: {reason}'
        self._failed[program, bucket] = text
        return EngineError(text)


class CudaGraphOfCompiled(CudaGraph):
    """Compile programs and capture what was compiled: few kernels, and one launch for them all.

    Args:
        recorder: See `CudaGraph`.
        compiled: What compiles.
    """

    name: ClassVar[str] = 'cuda_graph_compile'

    def __init__(self, recorder: Recorder, compiled: Compiled) -> None:
        super().__init__(recorder, compiled.precision, inner=compiled)


@dataclass(frozen=True)
class _InRoom:
    """An output that is part of a room: the room's name, and what of it."""

    room: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, room: Tensors) -> Tensor:
        whole = room[self.room]
        offset = whole.storage_offset() + self.offset
        return whole.as_strided(self.shape, self.strides, offset)


class _Captured:
    """One graph with the memory that it reads and writes."""

    def __init__(
        self,
        recorder: Recorder,
        runner: Runner,
        program: Program,
        bucket: Bucket,
        given: Tensors,
        room: Tensors,
    ) -> None:
        self.program, self.bucket = program, bucket
        bound = _bound(given, room)
        self._inputs = {
            name: torch.empty_like(tensor, memory_format=torch.contiguous_format)
            for name, tensor in given.items()
            if name not in bound
        }
        self._in_room: dict[str, _InRoom] = {}
        weights = list(_weights(program))
        self._anchors = [(weight, weight.data_ptr()) for weight in weights[:1]]
        self._alive = [weight.detach() for weight in weights]
        self._copy_in(given)
        inputs = self._inputs | {name: room[name] for name in bound}
        views = dict(room)

        def run() -> dict[str, Tensor]:
            done = runner(inputs, views)
            self._in_room = dict(_in_rooms(done, views))
            return {name: part for name, part in done.items() if name not in self._in_room}

        self._recording: Recording = recorder.record(run)

    @property
    def moved(self) -> bool:
        """Whether weights are elsewhere than they were."""
        return any(tensor.data_ptr() != address for tensor, address in self._anchors)

    def __call__(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        self._copy_in(given)
        self._recording.replay()
        result = {name: tensor.clone() for name, tensor in self._recording.outputs.items()}
        return result | {name: part.of(room) for name, part in self._in_room.items()}

    def _copy_in(self, given: Tensors) -> None:
        for name, tensor in self._inputs.items():
            tensor.copy_(given[name])


def _bound(given: Tensors, room: Tensors) -> frozenset[str]:
    """Give the inputs that are the room of their name."""
    return frozenset(
        name
        for name, tensor in given.items()
        if name in room and _place(name, tensor) == _place(name, room[name])
    )


def _place(name: str, tensor: Tensor) -> Place:
    return name, tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype


def _in_rooms(done: Tensors, room: Tensors) -> Iterator[tuple[str, _InRoom]]:
    """Find the outputs that are part of a room."""
    memory = {part.untyped_storage().data_ptr(): name for name, part in room.items()}
    for name, part in done.items():
        owner = memory.get(part.untyped_storage().data_ptr())
        if owner is not None:
            offset = int(part.storage_offset() - room[owner].storage_offset())
            yield name, _InRoom(owner, offset, tuple(part.shape), part.stride())


def _weights(program: Program) -> Iterator[Tensor]:
    """Give the weights of the modules, and of the methods of modules, that a program has."""
    for each in fields(program):  # type: ignore[arg-type]
        value = getattr(program, each.name)
        module = getattr(value, '__self__', value)
        if isinstance(module, nn.Module):
            yield from module.parameters()
            yield from module.buffers()
