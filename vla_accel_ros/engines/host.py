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

"""Between the device and the host, where each copy may wait for the device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def pack(tensors: Sequence[Tensor]) -> Tensor:
    """Put tensors behind one another as bytes, those of wide elements first.

    Returns:
        uint8 [bytes of all], on their device.
    """
    return torch.cat([tensors[i].reshape(-1).view(torch.uint8) for i in _order(tensors)])


def unpack(packed: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Take apart what `pack` gave.

    Args:
        packed: uint8 [bytes of all].
        like: The tensors that were packed; only their shapes and types are looked at.

    Returns:
        The tensors, in the order of `like`, on the device of `packed`, whose memory they share.
    """
    result, begin = list(like), 0
    for index in _order(like):
        tensor = like[index]
        end = begin + tensor.numel() * tensor.element_size()
        result[index] = packed[begin:end].view(tensor.dtype).view(tensor.shape)
        begin = end
    return result


def _order(tensors: Sequence[Tensor]) -> list[int]:
    # Each tensor begins at a multiple of its element's size, which a view asks for.
    return sorted(range(len(tensors)), key=lambda i: -tensors[i].element_size())


def fetch(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Bring tensors to the host in one copy; what is there already is given as it is."""
    away = [tensor for tensor in tensors if tensor.device.type != 'cpu']
    arrived = iter(unpack(pack(away).cpu(), away) if away else ())
    return [tensor if tensor.device.type == 'cpu' else next(arrived) for tensor in tensors]


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Bring a small tensor from the host to the device without waiting for the device.

    Its memory is read before this returns, for it is not pinned: it may be changed then.
    """
    return tensor.to(device, non_blocking=True)


def bring(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Bring tensors from the host to the device in one copy, without waiting for the device.

    Their memory is read before this returns. Where they are there already, they are given as they
    are.
    """
    if device.type == 'cpu':
        return list(tensors)
    packed = pack(tensors)
    if device.type == 'cuda':
        # torch keeps pinned memory until what reads it is done.
        packed = packed.pin_memory()
    return unpack(packed.to(device, non_blocking=True), tensors)
