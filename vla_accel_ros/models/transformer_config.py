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

"""Shapes of the two kinds of transformer that a model is made of."""

from __future__ import annotations

from dataclasses import dataclass

HALF = (0.5, 0.5, 0.5)


def require(condition: bool, message: str) -> None:
    """Raise a ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class TowerConfig:
    """Shape of one vision transformer.

    Attributes:
        name: Its name below `vision_backbone.` among the checkpoint's tensors.
        width: Channels of a token.
        depth: Blocks that the checkpoint has; those after `feature_block` never run.
        heads: Attention heads; divides `width`.
        mlp: Hidden channels of the MLP.
        patch: Pixels along the side of the square that one token sees.
        class_token: Whether a class token stands before the patches.
        registers: Register tokens before the patches.
        layer_scale: Whether each residual branch is scaled by a learned vector.
        attention_pool: Whether the checkpoint has a pooling head (SigLIP; it never runs).
        feature_block: Block whose output are the features, as a Python index; OpenVLA: -2.
        patch_embed: `conv` (one convolution of the patch's size, that is, linear) or `stem`
            (three stride-2 convolutions, then one to the token grid).
        stem: Channels of the stem's three convolutions.
        mean: Mean of the RGB channels, in 0..1, for normalisation.
        std: Standard deviation of the same.

    Raises:
        ValueError: When the numbers do not fit together.
    """

    name: str = 'featurizer'
    width: int = 1024
    depth: int = 24
    heads: int = 16
    mlp: int = 4096
    patch: int = 14
    class_token: bool = False
    registers: int = 0
    layer_scale: bool = False
    attention_pool: bool = False
    feature_block: int = -2
    patch_embed: str = 'conv'
    stem: tuple[int, int, int] = (32, 64, 128)
    mean: tuple[float, float, float] = HALF
    std: tuple[float, float, float] = HALF

    def __post_init__(self) -> None:
        for name in ('stem', 'mean', 'std'):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            require(len(getattr(self, name)) == 3, f'tower {name} has not 3 entries')
        require(
            self.heads > 0 and self.width % self.heads == 0,
            f'tower width {self.width} is no multiple of its {self.heads} heads',
        )
        require(
            -self.depth <= self.feature_block < self.depth,
            f'feature_block {self.feature_block} is none of the {self.depth} blocks',
        )
        require(
            self.patch_embed in ('conv', 'stem'),
            f"patch_embed is '{self.patch_embed}', expected 'conv' or 'stem'",
        )
        require(
            self.patch_embed == 'conv' or self.patch % 8 == 0,
            f'a stem needs a patch that is a multiple of 8, not {self.patch}',
        )

    @property
    def prefix(self) -> int:
        """Tokens before the patches: class token and registers."""
        return int(self.class_token) + self.registers

    @property
    def blocks(self) -> int:
        """Blocks that run, so that the output of the last one are the features."""
        return self.feature_block % self.depth + 1


@dataclass(frozen=True)
class DecoderConfig:
    """Shape of the Llama decoder.

    Attributes:
        width: Channels of the residual stream.
        layers: Decoder layers.
        heads: Query heads.
        kv_heads: Key and value heads; divides `heads`.
        mlp: Hidden channels of the gated MLP.
        vocab: Rows of the embedding table and of the output head, padding included.
        rope_theta: Base of the rotary embedding.
        rms_eps: Added to the mean square in RMSNorm.
        max_positions: Longest sequence the model was made for.

    Raises:
        ValueError: When the numbers do not fit together.
    """

    width: int = 4096
    layers: int = 32
    heads: int = 32
    kv_heads: int = 32
    mlp: int = 11008
    vocab: int = 32064
    rope_theta: float = 10000.0
    rms_eps: float = 1e-6
    max_positions: int = 2048

    def __post_init__(self) -> None:
        require(self.layers > 0, f'decoder has {self.layers} layers, expected at least 1')
        require(
            self.heads > 0 and self.width % (2 * self.heads) == 0,
            f'decoder width {self.width} does not give {self.heads} heads of even width',
        )
        require(
            self.kv_heads > 0 and self.heads % self.kv_heads == 0,
            f'{self.heads} query heads are no multiple of {self.kv_heads} key heads',
        )

    @property
    def head_width(self) -> int:
        """Channels of one head."""
        return self.width // self.heads
