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

"""The sizes of a public SmolVLA: they stand in the shapes of its tensors.

Its `config.json` names the vision language model that it was made from and holds no sizes of it.
Widths of heads are not to be seen in shapes, so these are known by that model's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from vla_accel_ros.files.kinds import FieldError, Number, Object, Word, kind_of, take
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig

WHOLE = 'model.'
VLM = 'vlm_with_expert.vlm.'
VISION, TEXT = f'{VLM}model.vision_model.', f'{VLM}model.text_model.'
CONNECTOR = f'{VLM}model.connector.modality_projection.proj.weight'
EXPERT = 'vlm_with_expert.lm_expert.'
# The original rotates by code of its own, which heeds no other base.
ROPE_THETA = 10000.0
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Heads:
    """What shapes do not tell.

    Attributes:
        width: Channels of a head of the language model.
        vision: Heads of the vision tower.
        rms_eps: Of the language model's norms.
    """

    width: int
    vision: int
    rms_eps: float = 1e-5


KNOWN = {
    'HuggingFaceTB/SmolVLM2-256M-Video-Instruct': Heads(64, 12),
    'HuggingFaceTB/SmolVLM2-500M-Video-Instruct': Heads(64, 12),
    'HuggingFaceTB/SmolVLM2-2.2B-Instruct': Heads(64, 16),
}


@dataclass(frozen=True)
class Sizes:
    """The sizes of all parts.

    Attributes:
        tower: Of the vision tower.
        decoder: Of the language model's layers that are there.
        image_size: Side of an image, pixels.
        shuffle: Patches along a side of a visual token.
        expert_width: Channels of the expert.
        expert_mlp: Hidden channels of its MLPs.
        state_width: Numbers that the state is padded to.
        action_width: Numbers that an action is padded to.
    """

    tower: TowerConfig
    decoder: DecoderConfig
    image_size: int
    shuffle: int
    expert_width: int
    expert_mlp: int
    state_width: int
    action_width: int


def inner_name(name: str) -> str:
    """Give a stored tensor's name without the prefix that most files have and some lack."""
    return name.removeprefix(WHOLE)


def heads_of(values: Mapping) -> Heads:
    """Read what shapes do not tell from `config.json`.

    Raises:
        FieldError: When the vision language model is not known.
    """
    tiny = take(values, '_tiny', Object(), None)
    if tiny is None:
        name = take(values, 'vlm_model_name', Word(), '')
        return KNOWN[Word(tuple(KNOWN)).read(name, 'vlm_model_name')]
    text = take(tiny, 'text_config', Object(), {}, '_tiny')
    vision = take(tiny, 'vision_config', Object(), {}, '_tiny')
    where = '_tiny.text_config'
    width = take(text, 'head_dim', kind_of(DecoderConfig, 'head_size'), None, where)
    if width is None:
        whole = take(text, 'hidden_size', kind_of(DecoderConfig, 'width'), 0, where)
        count = take(text, 'num_attention_heads', kind_of(DecoderConfig, 'heads'), 1, where)
        width = whole // count
    heads = take(
        vision, 'num_attention_heads', kind_of(TowerConfig, 'heads'), None, '_tiny.vision_config'
    )
    if not width or not heads:
        lacking = 'vision_config.num_attention_heads' if width else 'text_config.head_dim'
        raise FieldError(f'_tiny.{lacking} is missing')
    return Heads(width, heads, take(text, 'rms_norm_eps', Number(1e-12, 0.1), 1e-5, where))


def sizes_of(shapes: Shapes, heads: Heads) -> Sizes:
    """Read all sizes off the shapes.

    Args:
        shapes: By inner name.
        heads: What shapes do not tell.

    Raises:
        FieldError: When a tensor that tells a size is missing, or sizes do not fit together.
    """

    def shape(name: str, dims: int) -> tuple[int, ...]:
        found = shapes.get(name)
        if found is None:
            raise FieldError(f'{name} is missing, expected a tensor that tells a size')
        if len(found) != dims or not all(found):
            raise FieldError(f'{name} is {list(found)}, expected {dims} dimensions')
        return found

    def parted(whole: int, part: int, what: str) -> int:
        if whole % part:
            raise FieldError(f'{what} is {whole}, expected a multiple of {part}')
        return whole // part

    patches = shape(f'{VISION}embeddings.patch_embedding.weight', 4)
    vision_width, patch = patches[0], patches[2]
    side = _root(shape(f'{VISION}embeddings.position_embedding.weight', 2)[0], 'patches')
    block, layer = f'{VISION}encoder.layers.0.', f'{TEXT}layers.0.'
    tower = TowerConfig(
        width=vision_width,
        depth=_count(shapes, f'{VISION}encoder.layers.'),
        heads=heads.vision,
        mlp=shape(f'{block}mlp.fc1.weight', 2)[0],
        patch=patch,
        feature_block=-1,
        final_norm=True,
        activation='gelu_tanh',
    )
    vocab, width = shape(f'{TEXT}embed_tokens.weight', 2)
    decoder = DecoderConfig(
        width=width,
        layers=_count(shapes, f'{TEXT}layers.'),
        heads=parted(shape(f'{layer}self_attn.q_proj.weight', 2)[0], heads.width, 'q_proj'),
        kv_heads=parted(shape(f'{layer}self_attn.k_proj.weight', 2)[0], heads.width, 'k_proj'),
        head_size=heads.width,
        mlp=shape(f'{layer}mlp.gate_proj.weight', 2)[0],
        vocab=vocab,
        rope_theta=ROPE_THETA,
        rms_eps=heads.rms_eps,
        logits=False,
    )
    shuffled = parted(shape(CONNECTOR, 2)[1], vision_width, 'the width of a visual token')
    factor = _root(shuffled, 'patches of a visual token')
    parted(side, factor, 'the side of the grid of patches')
    own = _count(shapes, f'{EXPERT}layers.')
    if own != decoder.layers:
        raise FieldError(
            f'the expert has {own} layers and the language model {decoder.layers}, expected one '
            'for each'
        )
    return Sizes(
        tower=tower,
        decoder=decoder,
        image_size=side * patch,
        shuffle=factor,
        expert_width=shape(f'{EXPERT}norm.weight', 1)[0],
        expert_mlp=shape(f'{EXPERT}layers.0.mlp.gate_proj.weight', 2)[0],
        state_width=shape('state_proj.weight', 2)[1],
        action_width=shape('action_in_proj.weight', 2)[1],
    )


def _root(count: int, what: str) -> int:
    root = isqrt(count)
    if root * root != count:
        raise FieldError(f'there are {count} {what}, expected a square')
    return root


def _count(shapes: Shapes, prefix: str) -> int:
    """Count the layers whose tensors' names begin so."""
    numbers = {name.removeprefix(prefix).split('.')[0] for name in shapes if prefix in name}
    found = {int(number) for number in numbers if number.isdecimal()}
    if found != {*range(len(found))} or not found:
        raise FieldError(f'{prefix}* are the layers {sorted(found)}, expected all from 0 on')
    return len(found)
