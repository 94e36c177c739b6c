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

"""Tensors that stay where they are: ONNX Runtime reads them there, and writes beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

_TYPES: dict[torch.dtype, type] = {
    torch.float16: np.float16,
    torch.float32: np.float32,
    torch.float64: np.float64,
    torch.int32: np.int32,
    torch.int64: np.int64,
    torch.bool: np.bool_,
}


def run_bound(session: Any, given: Mapping[str, Tensor]) -> list[Tensor]:
    """Run a session on tensors of a CPU or an NVIDIA GPU without a way through the host.

    A tensor that lies on another device than the session's provider is copied by ONNX Runtime.

    Args:
        session: An `onnxruntime.InferenceSession`.
        given: Its inputs by name; at least one.

    Returns:
        The outputs in the session's order, on the device of the first input, in torch's memory.
    """
    # The binding knows addresses only: copies have to live until the run is done.
    held = {name: tensor.detach().contiguous() for name, tensor in given.items()}
    device = next(iter(held.values())).device
    # ONNX Runtime works in a stream of its own, of which torch's knows nothing: what torch has
    # still to compute must be done before that one reads it. A session takes another stream only
    # when it is made, and torch's current one may be another at each call, or its default one,
    # which cannot be handed over.
    for each in {tensor.device for tensor in held.values()}:
        _wait(each)
    binding = session.io_binding()
    for name, tensor in held.items():
        kind, number, shape = tensor.device.type, tensor.device.index or 0, tuple(tensor.shape)
        binding.bind_input(name, kind, number, _TYPES[tensor.dtype], shape, tensor.data_ptr())
    for output in session.get_outputs():
        binding.bind_output(output.name, device.type, device.index or 0)
    binding.synchronize_inputs()
    # Returns when the GPU is done.
    session.run_with_iobinding(binding)
    binding.synchronize_outputs()
    # ONNX Runtime gives the memory of a value that is gone to the next run, and takes it away with
    # the session. The copies are in torch's stream, for which the next run waits first.
    return [from_dlpack(value._ortvalue.to_dlpack()).clone() for value in binding.get_outputs()]


def _wait(device: torch.device) -> None:
    """Wait until torch has computed what is to be read."""
    if device.type == 'cuda':
        torch.cuda.current_stream(device).synchronize()
