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

"""What tells the weights of one model from those of another."""

from __future__ import annotations

import hashlib

import torch
from torch import nn

# Bytes of a tensor that are read; of a larger one its beginning, middle and end.
PART = 2**16


def digest_of(model: nn.Module) -> str:
    """Give a digest of a model's weights: names, types, shapes and samples of all numbers.

    Returns:
        40 hexadecimal digits.
    """
    whole = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        whole.update(f'{name} {tensor.dtype} {list(tensor.shape)}\n'.encode())
        flat = tensor.detach().reshape(-1)
        count = max(PART // max(flat.element_size(), 1), 1)
        starts = sorted({0, max(len(flat) - count, 0) // 2, max(len(flat) - count, 0)})
        for start in starts:
            part = flat[start : start + count].contiguous()
            whole.update(part.view(torch.uint8).cpu().numpy().tobytes())
    return whole.hexdigest()[:40]
