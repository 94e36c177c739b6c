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

"""Where the tensors of a checkpoint lie, for graphs that refer to its files."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import torch

from vla_accel_ros.engines.onnx.linked_weights import Linked, LinkedWeights
from vla_accel_ros.engines.onnx.weights import Place
from vla_accel_ros.models.checkpoints.sources import Sources
from vla_accel_ros.models.checkpoints.weights import shards, stored_in

DTYPES = {'F64': torch.float64, 'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16}


def linked_weights(folder: Path, sources: Sources = MappingProxyType({})) -> LinkedWeights:
    """Say where the tensors of a checkpoint lie.

    Args:
        folder: The checkpoint's.
        sources: Of the model's tensors that have other names there. One that several stored
            tensors make up lies nowhere as a whole.

    Raises:
        CheckpointError: When a file is missing or corrupt.
    """
    files = shards(folder)
    stored = stored_in(files)
    owners = {part: name for name, (part, *more) in sources.items() if not more}
    tensors = {
        owners.get(name, name): Linked(
            Place(file.name, each.begin, each.end - each.begin), DTYPES[each.dtype], each.shape
        )
        for name, (file, each) in stored.items()
        if each.dtype in DTYPES and each.end > each.begin
    }
    return LinkedWeights(tensors, files)
