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

"""A graph that OpenVINO compiled: torch's tensors in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from mmap import ACCESS_COPY, mmap
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.interface import EngineError, Tensors
from vla_accel_ros.engines.openvino_options import check_taken, core, last_line, library


class CompiledGraph:
    """Runs a compiled graph, one call at a time.

    Inputs are read where they lie. Outputs of known shape are written to memory of the caller's;
    others are views that the next call writes over, and are copied.

    Args:
        compiled: An `openvino.CompiledModel`.
        inputs: The names of what may go in; a graph has those that it needs.
        outputs: The names of what comes out, in order.
        held: What has to stay as long as the graph.
    """

    def __init__(
        self, compiled: Any, inputs: Sequence[str], outputs: Sequence[str], held: object = None
    ) -> None:
        self._tensor, self._lock = library().Tensor, Lock()
        self._request = compiled.create_infer_request()
        self._inputs = [
            (index, name_of(port, inputs), _type(port))
            for index, port in enumerate(compiled.inputs)
        ]
        self._outputs = []
        for index, (name, port) in enumerate(zip(outputs, compiled.outputs, strict=True)):
            shape = port.get_partial_shape()
            known = None if shape.is_dynamic else tuple(shape.to_shape())
            self._outputs.append((index, name, known, _type(port)))
        # Last, and so let go of last.
        self._held = held

    def __call__(self, given: Tensors) -> dict[str, Tensor]:
        """Run the graph on tensors by name.

        Returns:
            The outputs by name, in memory of their own.

        Raises:
            EngineError: When OpenVINO fails.
        """
        try:
            with self._lock:
                return self._run(given)
        except RuntimeError as error:
            raise EngineError(f'OpenVINO failed: {last_line(error)}') from error

    def _run(self, given: Tensors) -> dict[str, Tensor]:
        # A request knows where its inputs lie and keeps none of them alive: copies are kept here.
        held = [given[name].detach().to(kind).contiguous() for _, name, kind in self._inputs]
        for (index, _, _), tensor in zip(self._inputs, held, strict=True):
            self._request.set_input_tensor(index, self._view(tensor))
        result = {}
        for index, name, shape, kind in self._outputs:
            if shape is not None:
                result[name] = torch.empty(shape, dtype=kind)
                self._request.set_output_tensor(index, self._view(result[name]))
        self._request.infer()
        for index, name, shape, _ in self._outputs:
            if shape is None:
                view = self._request.get_output_tensor(index).data
                result[name] = torch.from_numpy(view).clone()
        return result

    def _view(self, tensor: Tensor) -> Any:
        return self._tensor(tensor.numpy(), shared_memory=True)


def load(
    file: Path,
    device: str,
    properties: Mapping[str, object],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> CompiledGraph:
    """Load a graph that OpenVINO compiled before.

    On a CPU the file is mapped and not copied. OpenVINO packs most weights once more for itself.
    Processes that read the same file share its memory, and the system can have that back.

    Args:
        file: What `CompiledModel.export_model` gave, on a local disk. It must not change any more.
        device: As OpenVINO names it.
        properties: That it was compiled with.
        inputs: As for `CompiledGraph`.
        outputs: As for `CompiledGraph`.

    Raises:
        EngineError: When the file cannot be read, or the graph is of another precision.
    """
    try:
        blob = _mapped(file) if device == 'CPU' else file.read_bytes()
        compiled = core().import_model(blob, device, dict(properties))
    except (OSError, RuntimeError, ValueError) as error:
        raise EngineError(f'{file} cannot be read: {last_line(error)}') from error
    check_taken(compiled, dict(properties))
    return CompiledGraph(compiled, inputs, outputs, blob)


def _mapped(file: Path) -> Any:
    """Give a file as a tensor of bytes in whose place the file lies."""
    with file.open('rb') as opened:
        # OpenVINO takes no tensor that cannot be written. It writes nothing, and what would be
        # written would stay in this process.
        mapped = mmap(opened.fileno(), 0, access=ACCESS_COPY)
    return library().Tensor(np.frombuffer(mapped, np.uint8), shared_memory=True)


def name_of(port: Any, names: Sequence[str]) -> str:
    """Give the one of some names that a graph's input has; OpenVINO may add others."""
    return next(name for name in names if name in port.names)


def _type(port: Any) -> torch.dtype:
    return {'f32': torch.float32, 'i64': torch.int64, 'i32': torch.int32, 'boolean': torch.bool}[
        port.get_element_type().get_type_name()
    ]
