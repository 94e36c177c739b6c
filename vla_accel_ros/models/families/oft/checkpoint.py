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

"""Reading the configuration of public OpenVLA-OFT checkpoints: most of it stands in shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from vla_accel_ros.files.kinds import Whole, kind_of, take
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, named
from vla_accel_ros.models.config import MOST_VIEWS, VLAConfig
from vla_accel_ros.models.families.oft.config import BOUNDS, BOUNDS_Q99, DISCRETE, L1, OFTConfig
from vla_accel_ros.models.families.oft.side_files import HEAD, PROPRIO, VISION, read_side
from vla_accel_ros.models.families.openvla import checkpoint as openvla

# No tensor tells these, nor do the original's files: they are those of its policies of LIBERO, and
# of ALOHA, which have 14 columns (`prismatic/vla/constants.py`). A config.json may say otherwise
# under the names that its launchers use.
CAMERAS_KEY, CHUNK_KEY = 'num_images_in_input', 'num_action_chunks'
SCALING_KEY = 'action_proprio_normalization_type'


class Platform(NamedTuple):
    """What the original fixes for a robot.

    Attributes:
        cameras: Views.
        chunk: Actions in an answer.
        scaling: What stands for -1 and 1; see `OFTConfig`.
    """

    cameras: int
    chunk: int
    scaling: str


LIBERO, ALOHA = Platform(2, 8, BOUNDS_Q99), Platform(3, 25, BOUNDS)
PLATFORMS = {14: ALOHA}


def read(folder: Path, values: Mapping, sides: Mapping[str, Path]) -> VLAConfig:
    """Read a public folder's configuration: an OpenVLA's, and what makes it an OFT.

    Args:
        folder: The folder.
        values: What `config.json` holds, with the checked `norm_stats`.
        sides: From `side_files.find`.

    Raises:
        CheckpointError: When a file cannot be read, is not of the form expected, or a number is
            out of range.
    """
    plain = openvla.read(folder, values)
    with named(folder / CONFIG):
        return _with_oft(plain, values, sides)


def _with_oft(config: VLAConfig, values: Mapping, sides: Mapping[str, Path]) -> VLAConfig:
    shapes = {kind: _shapes(file) for kind, file in sides.items()}
    dims, hidden = config.action_dims, 0
    if HEAD in sides:
        dims, hidden = _shape(sides, shapes, HEAD, 'model.fc2.weight')
    platform = PLATFORMS.get(dims, LIBERO)
    cameras = take(values, CAMERAS_KEY, Whole(1, MOST_VIEWS), platform.cameras if sides else 1)
    oft = OFTConfig(
        chunk=take(values, CHUNK_KEY, kind_of(OFTConfig, 'chunk'), platform.chunk),
        head=L1 if HEAD in sides else DISCRETE,
        proprio=0,
        scaling=take(values, SCALING_KEY, kind_of(OFTConfig, 'scaling'), platform.scaling),
    )
    if PROPRIO in sides:
        oft = replace(oft, proprio=_shape(sides, shapes, PROPRIO, 'fc1.weight')[1])
    if HEAD in sides:
        blocks = {name.split('.')[2] for name in shapes[HEAD] if '.mlp_resnet_blocks.' in name}
        oft = replace(oft, head_width=hidden, head_blocks=len(blocks))
    return replace(
        config,
        head=oft,
        action_dims=dims,
        image_towers=config.image_towers * cameras,
        film=any(name.endswith('.scale.weight') for name in shapes.get(VISION, ())),
        # OFT is fine-tuned with crops unless told not to, whatever the data set is called.
        centre_crop=openvla.LIBERO_CROP,
    )


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in read_side(file).items()}


def _shape(
    sides: Mapping[str, Path],
    shapes: Mapping[str, Mapping[str, tuple[int, ...]]],
    kind: str,
    name: str,
) -> tuple[int, int]:
    shape = shapes[kind].get(name, ())
    if len(shape) != 2:
        raise CheckpointError(f'{sides[kind]} has no matrix {name}, which every {kind} has')
    return shape
