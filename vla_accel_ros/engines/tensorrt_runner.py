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

"""A plan of TensorRT on a GPU: loaded once, run on tensors that are there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import EngineError, Tensors
from vla_accel_ros.engines.tensorrt_package import Package

_TYPES = {
    'FLOAT': torch.float32,
    'HALF': torch.float16,
    'BF16': torch.bfloat16,
    'INT64': torch.int64,
    'INT32': torch.int32,
    'BOOL': torch.bool,
}


class LoadedPlan:
    """A plan with one context a profile. They share its weights and the memory that they work in.

    What is run is put into torch's current stream, and nothing waits for it. Two threads must not
    run it in different streams.

    Args:
        package: TensorRT.
        file: The plan.
        device: The GPU.

    Raises:
        EngineError: When it is of another version or for another card, or memory is short.
    """

    def __init__(self, package: Package, file: Path, device: torch.device) -> None:
        self._package, self._device, self._lock = package, device, Lock()
        with package.told(), torch.cuda.device(device):
            self._runtime = package.trt.Runtime(package.logger)
            self._engine = self._runtime.deserialize_cuda_engine(file.read_bytes())
            if self._engine is None:
                raise EngineError(f'{package.title} cannot load {file.name}: {package.reason()}')
            size = max(self._engine.device_memory_size_v2, 1)
            try:
                self._scratch = torch.empty(size, dtype=torch.uint8, device=device)
            except torch.OutOfMemoryError as error:
                raise EngineError(
                    f'{package.title} needs {size} bytes of GPU memory to work in, which are not '
                    'free'
                ) from error
            names = [
                self._engine.get_tensor_name(place) for place in range(self._engine.num_io_tensors)
            ]
            self._types = {name: self._type(name) for name in names}
            output = package.trt.TensorIOMode.OUTPUT
            self._outputs = [
                name for name in names if self._engine.get_tensor_mode(name) == output
            ]
        self._contexts: dict[int, Any] = {}

    def _type(self, name: str) -> torch.dtype:
        return _TYPES[self._engine.get_tensor_dtype(name).name]

    def run(self, profile: int, given: Tensors, inputs: Sequence[str]) -> dict[str, Tensor]:
        """Put a run into the current stream.

        Args:
            profile: Place of the profile that holds the shapes.
            given: The inputs by name, on the GPU.
            inputs: Their names.

        Returns:
            The outputs by name, in memory of their own.

        Raises:
            EngineError: When TensorRT refuses.
        """
        with self._lock, self._package.told(), torch.cuda.device(self._device):
            stream = torch.cuda.current_stream(self._device)
            context = self._context(profile, stream)
            # As the plan wants them, and alive until the run is in the stream.
            ready = {name: given[name].to(self._types[name]).contiguous() for name in inputs}
            for name, tensor in ready.items():
                if not context.set_input_shape(name, tuple(tensor.shape)):
                    raise EngineError(
                        f'{name} of shape {list(tensor.shape)}: {self._package.reason()}'
                    )
                context.set_tensor_address(name, tensor.data_ptr())
            if missing := context.infer_shapes():
                raise EngineError(f'{self._package.title} does not know the shapes of {missing}')
            done = {
                name: torch.empty(
                    tuple(context.get_tensor_shape(name)),
                    dtype=self._types[name],
                    device=self._device,
                )
                for name in self._outputs
            }
            for name, tensor in done.items():
                context.set_tensor_address(name, tensor.data_ptr())
            if not context.execute_async_v3(stream.cuda_stream):
                raise EngineError(f'{self._package.title} cannot run: {self._package.reason()}')
        return done

    def _context(self, profile: int, stream: torch.cuda.Stream) -> Any:
        if profile not in self._contexts:
            context = self._new_context()
            if context is None:
                raise EngineError(f'{self._package.title}: {self._package.reason()}')
            context.set_device_memory(self._scratch.data_ptr(), self._scratch.numel())
            if self._engine.num_optimization_profiles > 1:
                if not context.set_optimization_profile_async(profile, stream.cuda_stream):
                    raise EngineError(f'profile {profile}: {self._package.reason()}')
                stream.synchronize()
            self._contexts[profile] = context
        return self._contexts[profile]

    def _new_context(self) -> Any:
        trt = self._package.trt
        own = trt.ExecutionContextAllocationStrategy.USER_MANAGED
        if not self._package.rtx:
            return self._engine.create_execution_context(own)
        config = self._engine.create_runtime_config()
        config.set_execution_context_allocation_strategy(own)
        # Kernels for a shape are compiled when it is first met, before it is captured, and not in
        # the background, where a captured graph would never get them.
        config.dynamic_shapes_kernel_specialization_strategy = (
            trt.DynamicShapesKernelSpecializationStrategy.EAGER
        )
        config.cuda_graph_strategy = trt.CudaGraphStrategy.DISABLED
        return self._engine.create_execution_context(config)


def place(done: Tensors, given: Tensors, room: Tensors) -> None:
    """Write new keys and values to the room that a program was given, without asking the host.

    Args:
        done: The outputs; `new` [layers, 2, B, kv heads, k, head width] is written.
        given: The inputs; `lengths` int64 [layers] says how many rows the store holds.
        room: The room for `new`, of whose rows the last k are written, or for `store`.
    """
    if 'new' in room:
        room['new'][..., -done['new'].shape[4] :, :] = done['new']
    if 'store' in room:
        new = done['new']
        rows = given['lengths'][:, None] + torch.arange(new.shape[4], device=new.device)
        room['store'].scatter_(4, rows[:, None, None, None, :, None].expand_as(new), new)
