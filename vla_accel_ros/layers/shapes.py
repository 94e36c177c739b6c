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

from dataclasses import dataclass, field

from vla_accel_ros.files.kinds import Flag, Maybe, Number, Several, Whole, Word, check_fields, of

HALF = (0.5, 0.5, 0.5)


# Far beyond any model of this family, and still so small that a number out of a damaged file
# neither fills the memory nor takes minutes to refuse.
WIDTH, MLP, HEADS = Whole(1, 2**16), Whole(1, 2**18), Whole(1, 1024)
BLOCKS, LAYERS = Whole(1, 128), Whole(1, 256)
DROPPED = Several(Whole(0, 255), 0, 256)
RGB_MEAN, RGB_STD = Several(Number(0, 1), 3, 3), Several(Number(0.01, 2), 3, 3)


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
        activation: Of the MLP: `gelu`, or `gelu_tanh` for its approximation by a tangent.
        final_norm: Whether a norm follows the last block that runs.

    Raises:
        ValueError: When the numbers do not fit together.
    """

    name: str = field(
        default='featurizer',
        metadata=of(Word(pattern=r'[a-z_]*featurizer(_\d+)?', example='featurizer')),
    )
    width: int = field(default=1024, metadata=of(WIDTH))
    depth: int = field(default=24, metadata=of(BLOCKS))
    heads: int = field(default=16, metadata=of(HEADS))
    mlp: int = field(default=4096, metadata=of(MLP))
    patch: int = field(default=14, metadata=of(Whole(1, 1024)))
    class_token: bool = field(default=False, metadata=of(Flag()))
    registers: int = field(default=0, metadata=of(Whole(0, 1024)))
    layer_scale: bool = field(default=False, metadata=of(Flag()))
    attention_pool: bool = field(default=False, metadata=of(Flag()))
    feature_block: int = field(default=-2, metadata=of(Whole(-128, 127)))
    patch_embed: str = field(default='conv', metadata=of(Word(('conv', 'stem'))))
    stem: tuple[int, int, int] = field(
        default=(32, 64, 128), metadata=of(Several(Whole(1, 4096), 3, 3))
    )
    mean: tuple[float, float, float] = field(default=HALF, metadata=of(RGB_MEAN))
    std: tuple[float, float, float] = field(default=HALF, metadata=of(RGB_STD))
    activation: str = field(default='gelu', metadata=of(Word(('gelu', 'gelu_tanh'))))
    final_norm: bool = field(default=False, metadata=of(Flag()))

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.width % self.heads == 0,
            f'tower width {self.width} is no multiple of its {self.heads} heads',
        )
        require(
            -self.depth <= self.feature_block < self.depth,
            f'feature_block {self.feature_block} is none of the {self.depth} blocks',
        )
        require(
            self.patch_embed == 'conv' or self.patch % 8 == 0,
            f'a stem needs a patch that is a multiple of 8, not {self.patch}',
        )
        for channels in self.stem:
            require(
                channels % groups_of(channels) == 0,
                f'stem has {channels} channels, which do not fall into '
                f'{groups_of(channels)} groups of one size',
            )

    @property
    def prefix(self) -> int:
        """Tokens before the patches: class token and registers."""
        return int(self.class_token) + self.registers

    @property
    def blocks(self) -> int:
        """Blocks that run, so that the output of the last one are the features."""
        return self.feature_block % self.depth + 1


def groups_of(channels: int) -> int:
    """Give the groups in which a stem normalises its channels."""
    return max(1, channels // 16)


@dataclass(frozen=True)
class DecoderConfig:
    """Shape of a decoder: Llama's, and by the last facts below Gemma's.

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
        drop_attention: Layers, from 0, whose attention and the norm before it are left out
            (`drop_attn_list` of Drop-Then-Recovery's checkpoints, arXiv 2606.27755).
        drop_mlp: Layers, from 0, whose MLP and the norm before it are left out (`drop_mlp_list`).
        head_size: Channels of one head; `width / heads` if None.
        activation: Of the MLP's gate: `silu`, or `gelu_tanh` (Gemma).
        norm_adds_one: Whether norms multiply by one and their weight (Gemma), not by the weight.
        scaled_embedding: Whether embedded tokens are multiplied by the root of `width` (Gemma).
        logits: Whether there is an output layer from rows to logits.

    Raises:
        ValueError: When the numbers do not fit together.
    """

    width: int = field(default=4096, metadata=of(WIDTH))
    layers: int = field(default=32, metadata=of(LAYERS))
    heads: int = field(default=32, metadata=of(HEADS))
    kv_heads: int = field(default=32, metadata=of(HEADS))
    mlp: int = field(default=11008, metadata=of(MLP))
    vocab: int = field(default=32064, metadata=of(Whole(1, 2**21)))
    rope_theta: float = field(default=10000.0, metadata=of(Number(10, 1e9)))
    rms_eps: float = field(default=1e-6, metadata=of(Number(1e-12, 0.1)))
    max_positions: int = field(default=2048, metadata=of(Whole(1, 2**17)))
    drop_attention: tuple[int, ...] = field(default=(), metadata=of(DROPPED))
    drop_mlp: tuple[int, ...] = field(default=(), metadata=of(DROPPED))
    head_size: int | None = field(default=None, metadata=of(Maybe(Whole(2, 4096))))
    activation: str = field(default='silu', metadata=of(Word(('silu', 'gelu_tanh'))))
    norm_adds_one: bool = field(default=False, metadata=of(Flag()))
    scaled_embedding: bool = field(default=False, metadata=of(Flag()))
    logits: bool = field(default=True, metadata=of(Flag()))

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ('drop_attention', 'drop_mlp'):
            dropped = getattr(self, name)
            require(
                list(dropped) == sorted({*dropped} & {*range(self.layers)}),
                f'{name} is {list(dropped)}, expected ascending layers from 0 to '
                f'{self.layers - 1}, each once',
            )
        require(
            len(self.drop_attention) < self.layers,
            f'drop_attention leaves none of the {self.layers} layers its attention',
        )
        require(
            self.head_size is not None or self.width % (2 * self.heads) == 0,
            f'decoder width {self.width} does not give {self.heads} heads of even width',
        )
        require(self.head_width % 2 == 0, f'head_size is {self.head_size}, expected an even one')
        require(
            self.heads % self.kv_heads == 0,
            f'{self.heads} query heads are no multiple of {self.kv_heads} key heads',
        )

    @property
    def head_width(self) -> int:
        """Channels of one head."""
        return self.width // self.heads if self.head_size is None else self.head_size

    @property
    def inner(self) -> int:
        """Channels of all query heads together."""
        return self.heads * self.head_width

    @property
    def attending(self) -> tuple[int, ...]:
        """Layers, from 0, that have their attention: those that have keys and values."""
        return tuple(layer for layer in range(self.layers) if layer not in self.drop_attention)

    def slot(self, layer: int) -> int:
        """Give the place of a layer, from 0, among those that have keys and values.

        Of a layer that has none, and of the one behind the last, it is that of the next one.
        """
        return layer - sum(dropped < layer for dropped in self.drop_attention)

    def runs(self, name: str) -> bool:
        """Say whether a tensor of the decoder's layers belongs to a part that is not left out.

        Args:
            name: Behind `layers.`, as `3.self_attn.q_proj.weight`.
        """
        layer, _, part = name.partition('.')
        dropped = {
            'self_attn': self.drop_attention,
            'input_layernorm': self.drop_attention,
            'mlp': self.drop_mlp,
            'post_attention_layernorm': self.drop_mlp,
        }.get(part.partition('.')[0], ())
        return not layer.isdigit() or int(layer) not in dropped
