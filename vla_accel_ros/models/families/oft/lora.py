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

"""Low-rank adapters, which OpenVLA-OFT's FiLM side files hold beside the weights they adapt."""

from __future__ import annotations

from pathlib import Path
import re

from torch import Tensor

from vla_accel_ros.models.checkpoints.json_file import CheckpointError

_DOWN = re.compile(r'(.+)\.lora_A\.(\w+)\.weight')
# The original fine-tunes with alpha = min(rank, 16), which its files do not say.
LARGEST_ALPHA = 16


def merge(tensors: dict[str, Tensor], file: Path) -> dict[str, Tensor]:
    """Add low-rank adapters to the weights that they adapt: W + alpha / r * B A (LoRA, eq. 3).

    Args:
        tensors: By name, adapters as `peft` names them; without any it is given back as it is.
        file: Named in errors.

    Raises:
        CheckpointError: When an adapter lacks its other half or its weight, they do not fit, or
            it is of another kind.
    """
    merged = {
        name.replace('.base_layer.', '.'): tensor
        for name, tensor in tensors.items()
        if '.lora_' not in name
    }
    left = {name for name in tensors if '.lora_' in name}
    for name, down in tensors.items():
        match = _DOWN.fullmatch(name)
        if match is None:
            continue
        weight, other = f'{match[1]}.weight', f'{match[1]}.lora_B.{match[2]}.weight'
        if weight not in merged or other not in tensors:
            raise CheckpointError(f'{file} has {name}, but not both {other} and its weight')
        up, whole = tensors[other], merged[weight]
        rank = len(down) if down.ndim else 0
        if (
            not rank
            or up.ndim != 2
            or down.ndim != 2
            or up.shape[1] != rank
            or (whole.shape != (len(up), down.shape[1]))
        ):
            raise CheckpointError(
                f'{file} has {name} of {list(down.shape)} and {other} of {list(up.shape)}, which '
                f'do not make up {weight} of {list(whole.shape)}'
            )
        change = min(rank, LARGEST_ALPHA) / rank * (up.float() @ down.float())
        merged[weight] = (merged[weight].float() + change).to(merged[weight].dtype)
        left -= {name, other}
    if left:
        raise CheckpointError(
            f'{file} has {min(left)}, which belongs to no adapter here; expected pairs named '
            '….lora_A.default.weight and ….lora_B.default.weight'
        )
    return merged
