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

"""Start from a decoder that can already read and act, as OpenVLA starts from Llama."""

from __future__ import annotations

import torch

from vla_accel_ros.models import checkpoint
from vla_accel_ros.models.openvla import OpenVLA
from vla_accel_ros.paths import checkpoint_folder

DECODER = 'language_model.'


@torch.no_grad()
def take_decoder(model: OpenVLA, start: str) -> None:
    """Copy the decoder of a checkpoint, embeddings and output head included, into a model.

    Args:
        model: Changed in place; its towers and what joins them to the decoder stay as they are.
        start: Folder of a checkpoint, or the name of a shipped one.

    Raises:
        ValueError: When the checkpoint's decoder has another shape.
    """
    source = checkpoint.load(checkpoint_folder(start), 'cpu', torch.float32)
    given = {k: v for k, v in source.state_dict().items() if k.startswith(DECODER)}
    own = {k: v for k, v in model.state_dict().items() if k.startswith(DECODER)}
    other = sorted(k for k in own.keys() | given.keys()
                   if k not in own or k not in given or own[k].shape != given[k].shape)
    if other:
        name = other[0]
        shapes = [tuple(side[name].shape) if name in side else None for side in (given, own)]
        raise ValueError(
            f'start {start}: its decoder is not of the shape of this recipe: {name} is '
            f'{shapes[0]}, expected {shapes[1]} ({len(other)} weights differ)')
    for name, weight in own.items():
        weight.copy_(given[name])
