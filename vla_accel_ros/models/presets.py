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

"""Configurations by name: the full-size OpenVLA-7B, the embedded model, one between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from vla_accel_ros.layers.dit_shape import DiTConfig
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.cogact.checkpoint import RMS_EPS
from vla_accel_ros.models.families.cogact.config import CogACTConfig
from vla_accel_ros.models.families.oft.checkpoint import LIBERO
from vla_accel_ros.models.families.oft.config import L1, OFTConfig
from vla_accel_ros.models.families.openvla.checkpoint import LIBERO_CROP, public_config
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.models.families.pi0 import sizes as pi0_sizes
from vla_accel_ros.models.families.smolvla import presets as smolvla_sizes
from vla_accel_ros.models.heads.config import HeadConfig

TOKENS = TokensConfig()


def openvla_7b() -> VLAConfig:
    """Give OpenVLA-7B: DINOv2 ViT-L/14, SigLIP SO400M/14 and Llama-2-7B at 224 px."""
    return public_config(
        {
            'model_type': 'openvla',
            'timm_model_ids': [
                'vit_large_patch14_reg4_dinov2.lvd142m',
                'vit_so400m_patch14_siglip_224',
            ],
            'image_sizes': [224, 224],
            'text_config': {'vocab_size': 32064},
        }
    )


def openvla_7b_oft(film: bool = False, head: str = L1) -> VLAConfig:
    """Give OpenVLA-7B fine-tuned with OFT: two views, 8 numbers of proprioception, chunks of 8.

    Args:
        film: Whether the instruction modulates the towers.
        head: `l1` or `discrete`.
    """
    plain = openvla_7b()
    return replace(
        plain,
        image_towers=plain.image_towers * LIBERO.cameras,
        film=film,
        centre_crop=LIBERO_CROP,
        head=OFTConfig(head=head),
    )


def mid(layers: int = 8, width: int = 1024) -> VLAConfig:
    """Give OpenVLA's form at a size for measurements on a CPU: 256 visual tokens of one view.

    Depth and widths of the towers, and the vocabulary, are to the decoder as in the full-size
    model, roughly.

    Args:
        layers: Decoder layers.
        width: Channels of the decoder, a multiple of 256.
    """
    tower = TowerConfig(
        width=width // 4, depth=layers - 1, heads=width // 256, mlp=width, patch=14
    )
    towers = (
        replace(tower, class_token=True, registers=4, layer_scale=True),
        replace(tower, name='fused_featurizer'),
    )
    decoder = DecoderConfig(
        width=width,
        layers=layers,
        heads=width // 64,
        kv_heads=width // 64,
        mlp=width * 11 // 4,
        vocab=2064,
    )
    return VLAConfig(
        towers=towers,
        decoder=decoder,
        head=TOKENS,
        image_size=224,
        tokenizer_vocab=2000,
        prompt_end=None,
    )


# Published action transformers of CogACT by name: width, blocks and heads.
COGACT = {'s': (384, 6, 4), 'b': (768, 12, 12), 'l': (1024, 24, 16)}


def _dit(size: str) -> CogACTConfig:
    width, depth, heads = COGACT[size]
    return CogACTConfig(dit=DiTConfig(width=width, depth=depth, heads=heads, mlp=4 * width))


def cogact_7b(size: str = 'b') -> VLAConfig:
    """Give CogACT on OpenVLA-7B's backbone.

    Args:
        size: Of the action transformer, `s`, `b` or `l`.
    """
    plain = openvla_7b()
    decoder = replace(plain.decoder, logits=False, rms_eps=RMS_EPS)
    return replace(plain, decoder=decoder, prompt_end=None, head=_dit(size))


def cogact_mid(layers: int = 8, width: int = 1024) -> VLAConfig:
    """Give CogACT's form at a size for measurements on a CPU: `mid` with the small transformer.

    Args:
        layers: Decoder layers.
        width: Channels of the decoder, a multiple of 256.
    """
    plain = mid(layers, width)
    head = replace(_dit('s'), prompt_tail=(3, 2))
    return replace(plain, decoder=replace(plain.decoder, logits=False), head=head)


def _mlp(width: int) -> int:
    """Return a Llama's inner channels: 8/3 of its width, rounded up to a multiple of 8."""
    return (8 * width // 3 + 7) // 8 * 8


def scaled(
    words: int,
    cameras: int = 1,
    image_size: int = 224,
    patch: int = 14,
    tower_width: int = 256,
    tower_blocks: int = 6,
    width: int = 384,
    layers: int = 8,
    heads: int = 6,
    bins: int = 256,
    head: HeadConfig = TOKENS,
) -> VLAConfig:
    """Give OpenVLA's form at a size to train: two towers see every view, linear patches.

    Args:
        words: Tokens of the vocabulary before the action bins, special tokens included.
        cameras: Views.
        image_size: Side of each view, pixels.
        patch: Pixels along a token's side; 224 / 14 gives 16 x 16 tokens a view.
        tower_width: Channels of each tower.
        tower_blocks: Blocks of each that run; as in OpenVLA there is one more.
        width: Channels of the decoder.
        layers: Decoder layers.
        heads: Decoder heads.
        bins: Action bins.
        head: How an action is answered; one token after the other by default.
    """
    tower = TowerConfig(
        width=tower_width,
        depth=tower_blocks + 1,
        heads=max(1, tower_width // 64),
        mlp=4 * tower_width,
        patch=patch,
    )
    towers = (
        replace(tower, class_token=True, registers=4, layer_scale=True),
        replace(tower, name='fused_featurizer'),
    )
    decoder = DecoderConfig(
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=heads,
        mlp=_mlp(width),
        vocab=words + bins,
        max_positions=1024,
    )
    return VLAConfig(
        towers=towers,
        decoder=decoder,
        image_towers=((0, 1),) * cameras,
        image_size=image_size,
        tokenizer_vocab=words + bins,
        bins=bins,
        prompt_end=None,
        gripper_open_is_one=False,
        head=head,
    )


def embedded(
    words: int,
    cameras: int = 2,
    image_size: int = 96,
    patch: int = 16,
    tower_width: int = 128,
    tower_blocks: int = 2,
    width: int = 192,
    layers: int = 3,
    heads: int = 6,
    film: bool = False,
    bins: int = 256,
    head: HeadConfig = TOKENS,
) -> VLAConfig:
    """Give the embedded model: one small convolutional-stem tower a camera, a small Llama.

    Args:
        words: Tokens of the vocabulary before the action bins, special tokens included.
        cameras: Views, one tower each.
        image_size: Side of each view, pixels.
        patch: Pixels along a token's side; 96 / 16 gives 6 x 6 tokens a view.
        tower_width: Channels of a tower.
        tower_blocks: Blocks of a tower; the features are the last one's output.
        width: Channels of the decoder.
        layers: Decoder layers.
        heads: Decoder heads.
        film: Whether the instruction modulates the towers.
        bins: Action bins.
        head: How an action is answered; one token after the other by default.
    """
    towers = tuple(
        TowerConfig(
            name='featurizer' if camera == 0 else f'featurizer_{camera}',
            width=tower_width,
            depth=tower_blocks,
            heads=tower_width // 32,
            mlp=4 * tower_width,
            patch=patch,
            feature_block=-1,
            patch_embed='stem',
        )
        for camera in range(cameras)
    )
    vocab = words + bins
    decoder = DecoderConfig(
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=heads,
        mlp=_mlp(width),
        vocab=vocab,
        max_positions=1024,
    )
    return VLAConfig(
        towers=towers,
        decoder=decoder,
        image_towers=tuple((c,) for c in range(cameras)),
        image_size=image_size,
        coordinates=True,
        film=film,
        tokenizer_vocab=vocab,
        bins=bins,
        prompt_end=None,
        gripper_open_is_one=False,
        head=head,
    )


# By name, and with random weights where there are none to be loaded.
FULL_SIZE: dict[str, Callable[[], VLAConfig]] = {
    'openvla-7b': openvla_7b,
    'openvla-7b-oft': openvla_7b_oft,
    'cogact-small': partial(cogact_7b, 's'),
    'cogact-base': partial(cogact_7b, 'b'),
    'cogact-large': partial(cogact_7b, 'l'),
    'pi0': pi0_sizes.pi0,
    'pi05': pi0_sizes.pi05,
    'smolvla': smolvla_sizes.smolvla,
}
# Sizes for a CPU, whose weights are random in any case.
MID_SIZE: dict[str, Callable[[], VLAConfig]] = {
    'mid': mid,
    'cogact-mid': cogact_mid,
    'pi0-mid': pi0_sizes.pi0_mid,
    'pi05-mid': pi0_sizes.pi05_mid,
    'smolvla-mid': smolvla_sizes.smolvla_mid,
}
