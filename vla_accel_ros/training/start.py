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

"""Start from weights that can already read and act, as OpenVLA starts from Llama."""

from __future__ import annotations

import torch
from torch import Tensor

from vla_accel_ros.models import checkpoint
from vla_accel_ros.models.openvla import OpenVLA
from vla_accel_ros.paths import checkpoint_folder

DECODER = 'language_model.'
SIGHT = ('vision_backbone.', 'projector.')


@torch.no_grad()
def take_weights(model: OpenVLA, start: str) -> tuple[str, ...]:
    """Copy a checkpoint's decoder into a model, and its towers where they have the same shape.

    The decoder is taken with embeddings and output head, the towers with the projector or not at
    all. What only the model has, such as OpenVLA-OFT's heads, stays as it is.

    Args:
        model: Changed in place.
        start: Folder of a checkpoint, or the name of a shipped one.

    Returns:
        Beginnings of the names that were taken.

    Raises:
        FileNotFoundError: When there is no such checkpoint.
        ValueError: When its decoder has another shape.
    """
    given = checkpoint.load(checkpoint_folder(start), 'cpu', torch.float32).state_dict()
    own = model.state_dict()
    other = _differing(own, given, (DECODER,))
    if other:
        name = other[0]
        shapes = [tuple(side[name].shape) if name in side else None for side in (given, own)]
        raise ValueError(
            f'start {start}: its decoder is not of the shape of this recipe: {name} is '
            f'{shapes[0]}, expected {shapes[1]} ({len(other)} weights differ)')
    taken = (DECODER,) if _differing(own, given, SIGHT) else (DECODER, *SIGHT)
    for name, weight in own.items():
        if name.startswith(taken):
            weight.copy_(given[name])
    return taken


def _differing(
    own: dict[str, Tensor], given: dict[str, Tensor], prefixes: tuple[str, ...],
) -> list[str]:
    names = {name for name in own.keys() | given.keys() if name.startswith(prefixes)}
    return sorted(name for name in names if name not in own or name not in given
                  or own[name].shape != given[name].shape)
