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

"""pi0 and pi0.5 at full size, and at one for measurements on a CPU."""

from __future__ import annotations

from dataclasses import replace

from vla_accel_ros.layers.shapes import TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.pi0.config import PLAIN, STATE, Pi0Config, gemma
from vla_accel_ros.models.normalisation import QUANTILES

# Numbers of a robot's state, and columns of its actions, as of LIBERO's arm.
NUMBERS, COLUMNS = 8, 7


def pi0() -> VLAConfig:
    """Give pi0: SigLIP So400m/14, Gemma 2B, an expert of 300 M, two views."""
    return _sized(False, _siglip(1152, 27, 16, 4304), (2048, 18, 16384), (1024, 18, 4096), 257152)


def pi05() -> VLAConfig:
    """Give pi0.5: as pi0, with adaptive norms and the state in the prompt."""
    return _sized(True, _siglip(1152, 27, 16, 4304), (2048, 18, 16384), (1024, 18, 4096), 257152)


def pi0_mid() -> VLAConfig:
    """Give pi0's form at a size for a CPU: all tokens and rows, a quarter of the widths."""
    return _sized(False, _siglip(288, 7, 4, 1076), (512, 6, 4096), (256, 6, 1024), 2064, 64)


def pi05_mid() -> VLAConfig:
    """Give pi0.5's form at the same size."""
    return _sized(True, _siglip(288, 7, 4, 1076), (512, 6, 4096), (256, 6, 1024), 2064, 64)


def _siglip(width: int, depth: int, heads: int, mlp: int) -> TowerConfig:
    return TowerConfig(
        width=width,
        depth=depth,
        heads=heads,
        mlp=mlp,
        feature_block=-1,
        activation='gelu_tanh',
        final_norm=True,
    )


def _sized(
    adaptive: bool,
    tower: TowerConfig,
    language: tuple[int, int, int],
    expert: tuple[int, int, int],
    vocab: int,
    head_size: int = 256,
) -> VLAConfig:
    head = Pi0Config(
        expert=gemma(*expert, head_size=head_size),
        adaptive=adaptive,
        state=0 if adaptive else 32,
        proprio=NUMBERS,
        prompt=STATE if adaptive else PLAIN,
        prompt_length=200 if adaptive else 48,
    )
    if adaptive:
        head = replace(head, state_scaling=QUANTILES, action_scaling=QUANTILES)
    return VLAConfig(
        towers=(tower,),
        decoder=gemma(*language, head_size=head_size, vocab=vocab),
        head=head,
        image_towers=((0,), (0,)),
        resize='pad',
        projector_layers=1,
        tokenizer_vocab=vocab,
        bins=2,
        action_dims=COLUMNS,
        prompt_end=None,
        gripper_open_is_one=False,
    )
