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

"""OpenVLA-OFT's side files: what its fine-tuning stores beside the model.

The action head, the proprioception's projector and, with FiLM, the whole vision backbone each
have a file, named `action_head--150000_checkpoint.pt` and so on, or `.safetensors`.
"""

from __future__ import annotations

from pathlib import Path
import re
from typing import TYPE_CHECKING

from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.files.links import dangling
from vla_accel_ros.models.checkpoints.file_names import CONFIG, OWN
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, read_json
from vla_accel_ros.models.checkpoints.pickled import read_pickled

if TYPE_CHECKING:
    from torch import Tensor

HEAD, PROPRIO, VISION = KINDS = ('action_head', 'proprio_projector', 'vision_backbone')
DIFFUSION = 'noisy_action_projector'
_PARALLEL = 'module.'


def find(folder: str | Path) -> dict[str, Path]:
    """Find a folder's side files by their public names.

    Returns:
        The file of each kind that is there. None of a folder of our own, which has all tensors
        together.

    Raises:
        CheckpointError: When there are several of a kind, or those of a diffusion policy.
    """
    folder = Path(folder)
    if OWN in read_json(folder / CONFIG):
        return {}
    if _candidates(folder, DIFFUSION):
        raise CheckpointError(
            f'{folder} holds {_candidates(folder, DIFFUSION)[0].name}: a diffusion policy, '
            'expected an L1 or a discrete head'
        )
    found = {}
    for kind in KINDS:
        files = _candidates(folder, kind)
        if len({file.stem for file in files}) > 1:
            names = ', '.join(file.name for file in files)
            raise CheckpointError(f'{folder} holds {names}, expected one {kind}')
        if files:
            found[kind] = files[-1]
    return found


def _candidates(folder: Path, kind: str) -> list[Path]:
    """Give the files of a kind, of two that differ in their ending alone safetensors last."""
    name = re.compile(rf'{kind}(--\w+_checkpoint)?\.(pt|safetensors)')
    return sorted(file for file in folder.iterdir() if name.fullmatch(file.name))


def read_side(file: Path) -> dict[str, Tensor]:
    """Read a side file's tensors, under their names without the data-parallel prefix.

    Raises:
        CheckpointError: When it is corrupt, or holds anything but tensors by name.
    """
    if why := dangling(file) or complaint(file):
        raise CheckpointError(why)
    if not file.is_file():
        # A pipe would let torch wait for ever.
        raise CheckpointError(f'{file} is no file')
    if file.suffix == '.safetensors':
        from vla_accel_ros.models.checkpoints.weights import read_tensors

        stored = dict(read_tensors([file]))
    else:
        stored = _read_pickle(file)
    for name, tensor in stored.items():
        if not tensor.is_floating_point():
            raise CheckpointError(f'{file}: {name} is of the type {tensor.dtype}, expected floats')
    return {name.removeprefix(_PARALLEL): tensor for name, tensor in stored.items()}


def _read_pickle(file: Path) -> dict[str, Tensor]:
    import torch

    stored = read_pickled(file, 'a state_dict saved by torch.save, or safetensors')
    if not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in stored.items()
    ):
        raise CheckpointError(
            f'{file} holds a {type(stored).__name__} that is not all tensors by name'
        )
    return dict(stored)


def tensors(kind: str, file: Path) -> dict[str, Tensor]:
    """Read a side file's tensors under the names that the model has for them.

    Raises:
        CheckpointError: As `read_side`, or when a low-rank adapter is not whole.
    """
    from vla_accel_ros.models.families.oft.lora import merge

    stored = merge(read_side(file), file)
    if kind != VISION:
        return {f'{kind}.{name}': tensor for name, tensor in stored.items()}
    # FiLM wraps the backbone and each of its blocks.
    return {
        f'{VISION}.'
        + re.sub(r'(blocks\.\d+)\.block\.', r'\1.', name.removeprefix(f'{VISION}.')): tensor
        for name, tensor in stored.items()
    }
