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

"""Public CogACT checkpoints: their configuration, most of which stands in shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
import re

from vla_accel_ros.files.kinds import FieldError, Object, Whole, Word, at, kind_of, take
from vla_accel_ros.layers.dit_shape import DiTConfig
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, named
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.cogact.config import CogACTConfig
from vla_accel_ros.models.families.openvla.checkpoint import TIMM, public_config

# Parts of the stored dictionary that are read; a moving average of the last one is left.
# Parts that are never run: of the past of actions, and what makes logits.
UNUSED = ('action_model.history_embedder.', 'language_model.lm_head.', 'ema_diffusion.')
# The one that is published: DINOv2 and SigLIP at 224 pixels, Llama 2.
BACKBONES = ('prism-dinosiglip-224px+7b',)
TOWERS = {
    'dino': 'vit_large_patch14_reg4_dinov2.lvd142m',
    'siglip': 'vit_so400m_patch14_siglip_224',
}
# Llama 2's, which no file tells.
RMS_EPS, LLAMA_HEAD, PADDING = 1e-5, 128, 64
# Heads of the published action transformers, by width.
HEADS = {384: 4, 768: 12, 1024: 16}

_RENAMED = (
    (r'vision_backbone\.dino_featurizer\.', 'vision_backbone.featurizer.'),
    (r'vision_backbone\.siglip_featurizer\.', 'vision_backbone.fused_featurizer.'),
    (r'(\.ls[12])\.gamma$', r'\1.scale_factor'),
    (r'llm_backbone\.llm\.', 'language_model.'),
    (r'projector\.projector\.0\.', 'projector.fc1.'),
    (r'projector\.projector\.2\.', 'projector.fc2.'),
    (r'projector\.projector\.4\.', 'projector.fc3.'),
    (r'action_model\.net\.', 'action_model.'),
)
Shapes = Mapping[str, tuple[int, ...]]


def claims(values: Mapping) -> bool:
    """Say whether a `config.json` is a CogACT's."""
    vla = values.get('vla')
    return isinstance(vla, Mapping) and 'base_vlm' in vla and 'action_model_type' in vla


def ours(name: str) -> str:
    """Give the model's name for a stored tensor, with or without a prefix of its own."""
    name = name.removeprefix('model.').removeprefix('vlm.')
    for pattern, ours_ in _RENAMED:
        name = re.sub(pattern, ours_, name)
    return name


def read(folder: Path, values: Mapping) -> VLAConfig:
    """Read a public folder's configuration.

    Args:
        folder: The folder; the shapes of its weights are looked at.
        values: What `config.json` holds, with the checked `norm_stats`.

    Raises:
        CheckpointError: When a file cannot be read, or does not say what is needed.
    """
    with named(folder / CONFIG):
        backbone = take(values['vla'], 'base_vlm', Word(), '', 'vla')
        tiny = take(values, '_tiny', Object(), {})
        if backbone not in BACKBONES:
            raise FieldError(f"vla.base_vlm is '{backbone}', expected {' or '.join(BACKBONES)}")
        past = take(values['vla'], 'past_action_window_size', Whole(0, 2**16), 0, 'vla')
        if past:
            raise FieldError(f'vla.past_action_window_size is {past}, expected 0')
    shapes = stored_shapes(folder)
    with named(folder / CONFIG):
        plain = _backbone(values, tiny, shapes)
        head = _head(values['vla'], tiny, shapes)
        return replace(plain, head=head, action_dims=shapes['action_model.final_layer.linear'][0])


def stored_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Read the shapes of all weights, by the model's names without `.weight`.

    Raises:
        CheckpointError: When they cannot be read.
    """
    from vla_accel_ros.models.checkpoints.weights import shards, stored_in
    from vla_accel_ros.models.families.cogact import torch_file

    file = torch_file.find(folder)
    if file is not None:
        found = {name: tuple(t.shape) for name, t in torch_file.tensors(file).items()}
    else:
        found = {name: stored.shape for name, (_, stored) in stored_in(shards(folder)).items()}
    shapes = _Shapes(file or folder)
    shapes.update({ours(name).removesuffix('.weight'): shape for name, shape in found.items()})
    return shapes


class _Shapes(dict):
    """Shapes by name; one that is missing is said to be missing in a file."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._place = place

    def __missing__(self, name: str) -> tuple[int, ...]:
        raise CheckpointError(f'{self._place} has no tensor {name}, which every CogACT has')


def _backbone(values: Mapping, tiny: Mapping, shapes: Shapes) -> VLAConfig:
    """Read towers, projector and language model: an OpenVLA's of other names."""
    given = take(tiny, '_tiny_vit', Object(), {}, '_tiny')
    towers = {
        identity: {**TIMM[identity], **take(given, short, Object(), {}, '_tiny._tiny_vit')}
        for short, identity in TOWERS.items()
    }
    text = take(tiny, 'llm', Object(), {}, '_tiny')
    vocab, width = shapes['language_model.model.embed_tokens']
    inner = shapes['language_model.model.layers.0.mlp.gate_proj'][0]
    found = {
        'hidden_size': width,
        'intermediate_size': inner,
        'num_hidden_layers': len(_numbered('language_model.model.layers.', shapes)),
        'num_attention_heads': max(width // LLAMA_HEAD, 1),
        'rms_norm_eps': RMS_EPS,
        **text,
        'vocab_size': vocab,
    }
    public = {
        'model_type': 'openvla',
        'timm_model_ids': list(TOWERS.values()),
        '_tiny_vit': towers,
        'image_resize_strategy': values['vla'].get('image_resize_strategy'),
        'text_config': found,
        'pad_to_multiple_of': min(PADDING, vocab - 1),
        'norm_stats': values['norm_stats'],
    }
    plain = public_config(public)
    # Its crops at training are random ones, and there is none when it acts.
    decoder = replace(plain.decoder, logits=False)
    return replace(plain, decoder=decoder, prompt_end=None, centre_crop=None)


def _head(vla: Mapping, tiny: Mapping, shapes: Shapes) -> CogACTConfig:
    net = 'action_model.'
    tokens, width = shapes[f'{net}positional_embedding']
    depth = len(_numbered(f'{net}blocks.', shapes))
    sizes = take(tiny, 'dit', Object(), {}, '_tiny')
    heads = take(sizes, 'num_heads', kind_of(DiTConfig, 'heads'), HEADS.get(width), '_tiny.dit')
    if heads is None:
        raise FieldError(
            f'the action transformer is {width} wide, expected one of {sorted(HEADS)}: how many '
            'heads it has is said by no file'
        )
    window = take(vla, 'future_action_window_size', Whole(0, 511), tokens - 2, 'vla')
    if window != tokens - 2:
        raise FieldError(
            f'{at("vla", "future_action_window_size")} is {window}, expected {tokens - 2}: '
            f'the positional embedding has {tokens} tokens'
        )
    dit = DiTConfig(
        width=width,
        depth=depth,
        heads=heads,
        mlp=shapes[f'{net}blocks.0.mlp.fc1'][0],
        frequencies=shapes[f'{net}t_embedder.mlp.0'][1],
    )
    return CogACTConfig(chunk=tokens - 1, dit=dit)


def _numbered(prefix: str, shapes: Shapes) -> set[str]:
    """Give the numbers that follow a prefix among the names."""
    return {name[len(prefix) :].split('.')[0] for name in shapes if name.startswith(prefix)}
