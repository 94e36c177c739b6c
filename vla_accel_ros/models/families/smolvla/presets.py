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

"""SmolVLA's sizes by name: the published one, and one for measurements on a CPU."""

from __future__ import annotations

from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.smolvla.config import SmolVLAConfig
from vla_accel_ros.models.families.smolvla.sizes import ROPE_THETA

CAMERAS = ('camera1', 'camera2')


def smolvla() -> VLAConfig:
    """Give `lerobot/smolvla_base` with two cameras: 0.36 B weights beside the table of tokens."""
    return _sized(
        _tower(width=768, depth=12, heads=12, mlp=3072, patch=16),
        width=960,
        layers=16,
        heads=15,
        kv_heads=5,
        mlp=2560,
        vocab=49280,
        image_size=512,
        head=SmolVLAConfig(camera_names=CAMERAS),
    )


def smolvla_mid() -> VLAConfig:
    """Give SmolVLA's form at a size for measurements on a CPU: 64 visual tokens a view."""
    return _sized(
        _tower(width=192, depth=6, heads=6, mlp=768, patch=8),
        width=320,
        layers=8,
        heads=5,
        kv_heads=5,
        mlp=896,
        vocab=2064,
        image_size=256,
        head=SmolVLAConfig(expert_width=240, expert_mlp=768, camera_names=CAMERAS),
    )


def _tower(width: int, depth: int, heads: int, mlp: int, patch: int) -> TowerConfig:
    return TowerConfig(
        width=width,
        depth=depth,
        heads=heads,
        mlp=mlp,
        patch=patch,
        feature_block=-1,
        activation='gelu_tanh',
        final_norm=True,
    )


def _sized(
    tower: TowerConfig,
    width: int,
    layers: int,
    heads: int,
    kv_heads: int,
    mlp: int,
    vocab: int,
    image_size: int,
    head: SmolVLAConfig,
) -> VLAConfig:
    decoder = DecoderConfig(
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        mlp=mlp,
        vocab=vocab,
        rope_theta=ROPE_THETA,
        rms_eps=1e-5,
        logits=False,
    )
    return VLAConfig(
        towers=(tower,),
        decoder=decoder,
        head=head,
        image_towers=((0,),) * len(head.camera_names),
        image_size=image_size,
        shuffle=4,
        resize='pad-top-left',
        projector_layers=1,
        tokenizer_vocab=vocab,
        bins=2,
        action_dims=6,
        prompt_end=None,
        gripper_open_is_one=False,
    )
