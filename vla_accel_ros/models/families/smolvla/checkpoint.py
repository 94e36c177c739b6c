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

"""Reading the configuration of public SmolVLA checkpoints, as LeRobot writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vla_accel_ros.files.kinds import FieldError, Flag, Object, Several, Whole, Word, kind_of, take
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import named
from vla_accel_ros.models.checkpoints.lerobot import (
    ACTION,
    STATE,
    features_of,
    modes_of,
    relative_columns,
)
from vla_accel_ros.models.checkpoints.weights import shards, stored_in
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.smolvla.config import SmolVLAConfig
from vla_accel_ros.models.families.smolvla.sizes import Sizes, heads_of, inner_name, sizes_of
from vla_accel_ros.models.families.smolvla.statistics import read_statistics
from vla_accel_ros.models.normalisation import LEROBOT_ADDED, MEAN_STD

TYPE = 'smolvla'
# What the original has as an option and no published checkpoint uses.
UNUSED = ('add_image_special_tokens', 'adapt_to_pi_aloha', 'use_delta_joint_actions_aloha')


def read(folder: Path, values: Mapping) -> VLAConfig:
    """Read a public folder's configuration.

    Args:
        folder: The folder.
        values: What `config.json` holds.

    Raises:
        CheckpointError: When a file does not say what is needed.
    """
    files = shards(folder)
    shapes = {inner_name(name): stored.shape for name, (_, stored) in stored_in(files).items()}
    with named(folder / CONFIG):
        heads = heads_of(values)
    with named(files[0]):
        sizes = sizes_of(shapes, heads)
    with named(folder / CONFIG):
        config = _config(values, sizes)
    head = config.head
    stats = read_statistics(
        folder,
        {'proprio': head.proprio, 'action': config.action_dims},
        {'proprio': head.state_scaling, 'action': head.action_scaling},
    )
    relative = relative_columns(folder, values, config.action_dims)
    with named(folder / CONFIG):
        return replace(config, norm_stats=stats, head=replace(head, relative=relative))


def _config(values: Mapping, sizes: Sizes) -> VLAConfig:
    for name in UNUSED:
        if take(values, name, Flag(), False):
            raise FieldError(f'{name} is true, expected false: this form is not understood')
    _check_size(values, sizes)
    decoder = sizes.decoder
    layers = take(values, 'num_vlm_layers', Whole(0, 256), decoder.layers)
    if layers not in (0, decoder.layers):
        raise FieldError(
            f'num_vlm_layers is {layers}, expected {decoder.layers}: so many are in the file'
        )
    features = features_of(values)
    if not features.cameras:
        raise FieldError('input_features names no camera, expected one of the type VISUAL')
    for name, width, most in (
        (f'input_features.{STATE}', features.state, sizes.state_width),
        (f'output_features.{ACTION}', features.actions, sizes.action_width),
    ):
        if not 1 <= width <= most:
            raise FieldError(f'{name}.shape has {width} numbers, expected 1 to {most}')
    state, action = modes_of(values, MEAN_STD)
    own = SmolVLAConfig(
        chunk=take(values, 'chunk_size', kind_of(SmolVLAConfig, 'chunk'), 50),
        numbers=sizes.action_width,
        steps=take(values, 'num_steps', kind_of(SmolVLAConfig, 'steps'), 10),
        shortest_period=take(
            values, 'min_period', kind_of(SmolVLAConfig, 'shortest_period'), 0.004
        ),
        longest_period=take(values, 'max_period', kind_of(SmolVLAConfig, 'longest_period'), 4.0),
        proprio=features.state,
        state_width=sizes.state_width,
        expert_width=sizes.expert_width,
        expert_mlp=sizes.expert_mlp,
        self_every=_self_every(values),
        prompt_length=take(
            values, 'tokenizer_max_length', kind_of(SmolVLAConfig, 'prompt_length'), 48
        ),
        camera_names=features.cameras,
        state_scaling=state,
        action_scaling=action,
        state_added=LEROBOT_ADDED if state == MEAN_STD else 0.0,
    )
    return VLAConfig(
        towers=(sizes.tower,),
        decoder=decoder,
        head=own,
        image_towers=((0,),) * len(features.cameras),
        image_size=sizes.image_size,
        shuffle=sizes.shuffle,
        projector_layers=1,
        tokenizer_vocab=decoder.vocab,
        bins=2,
        action_dims=features.actions,
        prompt_end=None,
        gripper_open_is_one=False,
        resize='pad-top-left',
    )


def _self_every(values: Mapping) -> int:
    """Give every which layer has self-attention; 1 where all have."""
    mode = take(values, 'attention_mode', Word(('cross_attn', 'self_attn')), 'cross_attn')
    every = take(values, 'self_attn_every_n_layers', Whole(-1, 256), 2)
    return 1 if mode == 'self_attn' else max(every, 0)


def _check_size(values: Mapping, sizes: Sizes) -> None:
    side = sizes.image_size
    asked = take(values, 'resize_imgs_with_padding', Several(Whole(1, 4096), 2, 2), (side, side))
    if asked != (side, side):
        raise FieldError(
            f'resize_imgs_with_padding is {list(asked)}, expected {[side, side]}: so large an '
            "image the tower's positions are for"
        )


def absent_cameras(values: Mapping, there: int) -> int:
    """Give how many cameras the original puts behind those that are there, and masks.

    Args:
        values: What `config.json` holds.
        there: Cameras that are there.
    """
    inputs = take(values, 'input_features', Object(), {})
    known = sum(
        isinstance(one, Mapping) and one.get('type') == 'VISUAL' for one in inputs.values()
    )
    return min(max(known - there, 0), take(values, 'empty_cameras', Whole(0, 16), 0))
