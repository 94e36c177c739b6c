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

"""What records a run of a program on fixed memory, and repeats it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import EngineError

Run = Callable[[], dict[str, Tensor]]


class Recording(Protocol):
    """A run that can be repeated.

    Attributes:
        outputs: Memory that each repetition writes the outputs to, by name. Other recordings of
            the same recorder may write there, too.
    """

    outputs: dict[str, Tensor]

    def replay(self) -> None:
        """Run again on what stands in the memory that the recorded run read."""


class Recorder(Protocol):
    """Records runs. All memory that a run reads and does not make itself stays where it is."""

    def record(self, run: Run) -> Recording:
        """Record a run, which may be run more than once for it.

        Raises:
            RuntimeError: When it does what cannot be recorded, or memory is short.
        """

    def settle(self) -> None:
        """Wait until nothing that was replayed is under way, before recordings are dropped."""


class HostRecorder:
    """Repeats a run by running it again: for finding errors, on any device and without a graph.

    Before each repetition the outputs of all recordings are spoilt, with NaN where they are
    floats. So whoever looks at outputs that another recording could have overwritten notices.
    """

    def __init__(self) -> None:
        self._outputs: list[dict[str, Tensor]] = []

    def record(self, run: Run) -> Recording:
        """Run once; see `Recorder.record`."""
        outputs = {name: tensor.clone() for name, tensor in run().items()}
        self._outputs.append(outputs)
        return _Again(run, outputs, self._spoil)

    def settle(self) -> None:
        """Do nothing; see `Recorder.settle`."""

    def _spoil(self) -> None:
        for outputs in self._outputs:
            for tensor in outputs.values():
                tensor.fill_(float('nan') if tensor.is_floating_point() else 1)


class _Again:
    def __init__(self, run: Run, outputs: dict[str, Tensor], before: Callable[[], None]) -> None:
        self._run, self.outputs, self._before = run, outputs, before

    def replay(self) -> None:
        fresh = {name: tensor.clone() for name, tensor in self._run().items()}
        self._before()
        for name, tensor in fresh.items():
            self.outputs[name].copy_(tensor)


class CudaRecorder:
    """Records CUDA graphs that share one pool of memory.

    Args:
        device: The GPU.
    """

    # Libraries load and allocate when they are first used, which no graph can hold.
    RUNS_BEFORE = 2

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def record(self, run: Run) -> Recording:
        """Capture a graph; see `Recorder.record`."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            for _ in range(self.RUNS_BEFORE):
                run()
        current.wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        try:
            # What other threads do meanwhile is not looked at.
            with torch.cuda.graph(
                graph, self._pool, self._stream, capture_error_mode='thread_local'
            ):
                outputs = run()
        except (RuntimeError, EngineError):
            # A pool in which a capture broke off is not trusted again.
            self._pool = torch.cuda.graph_pool_handle()
            raise
        return _Graph(graph, outputs)

    def settle(self) -> None:
        """Wait for the device; see `Recorder.settle`."""
        torch.cuda.synchronize(self._device)


class _Graph:
    def __init__(self, graph: torch.cuda.CUDAGraph, outputs: dict[str, Tensor]) -> None:
        self._graph, self.outputs = graph, outputs

    def replay(self) -> None:
        self._graph.replay()
