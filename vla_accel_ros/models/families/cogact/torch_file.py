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

"""CogACT's pickled file: `checkpoints/NAME.pt`, a dictionary of dictionaries of tensors.

It is read by torch's restricted unpickler, which builds tensors and plain containers and nothing
else. Where the file is torch's usual archive, tensors are read from the disk as they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import re
from typing import TYPE_CHECKING

from vla_accel_ros.models.checkpoints.file_names import CONFIG, OWN
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, read_json
from vla_accel_ros.models.checkpoints.pickled import read_pickled
from vla_accel_ros.models.checkpoints.weights import INDEX, WEIGHTS

if TYPE_CHECKING:
    from torch import Tensor

FOLDER, ENDING, OUTER = 'checkpoints', '.pt', 'model'
MODULES = ('vision_backbone', 'llm_backbone', 'projector', 'action_model')


def candidates(folder: Path) -> list[Path]:
    """List a folder's pickled files, the one that is read last: the newest step by its name."""
    below = folder / FOLDER
    files = below.iterdir() if below.is_dir() else ()
    return sorted((file for file in files if file.suffix == ENDING), key=_order)


def _order(file: Path) -> tuple:
    # `step-020792-epoch-00-loss=0.0321.pt`: the loss says nothing of which is newer.
    numbers = re.findall(r'(?:step|epoch)-(\d+)', file.stem)
    return (len(numbers), *map(int, numbers)), file.name


def find(folder: Path) -> Path | None:
    """Give the pickled file that is read; None where there is none, or safetensors are there.

    Raises:
        CheckpointError: When `config.json` cannot be read.
    """
    if any((folder / name).exists() for name in (WEIGHTS, INDEX)):
        return None
    if OWN in read_json(folder / CONFIG):
        return None
    found = candidates(folder)
    return found[-1] if found else None


def notes(folder: Path) -> list[str]:
    """Say which of several pickled files is read."""
    chosen, found = find(folder), candidates(folder)
    if chosen is None or len(found) < 2:
        return []
    others = ', '.join(file.name for file in found if file != chosen)
    return [f'of {len(found)} files in {chosen.parent} {chosen.name} is read, not {others}']


def tensors(file: Path) -> dict[str, Tensor]:
    """Read a pickled file's tensors by `module.name`, without reading their numbers.

    Raises:
        CheckpointError: When it is missing or corrupt, holds more than tensors, or lacks a part.
    """
    import torch

    stored = read_pickled(file, 'dictionaries of tensors saved by torch.save')
    outer = stored.get(OUTER, stored)
    result = {}
    for module in MODULES:
        part = outer.get(module) if isinstance(outer, Mapping) else None
        if not isinstance(part, Mapping):
            raise CheckpointError(
                f'{file} has no {OUTER}.{module}, expected the parts {", ".join(MODULES)}'
            )
        for name, tensor in part.items():
            if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
                what = tensor.dtype if isinstance(tensor, torch.Tensor) else type(tensor).__name__
                raise CheckpointError(f'{file}: {module}.{name} is {what}, expected floats')
            result[f'{module}.{name}'] = tensor
    return result
