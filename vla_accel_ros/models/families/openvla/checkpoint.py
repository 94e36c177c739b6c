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

"""Public OpenVLA checkpoints: their configuration, and the tensors that never run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vla_accel_ros.files.kinds import (
    FieldError,
    Flag,
    Number,
    Object,
    Several,
    Whole,
    Word,
    at,
    kind_of,
    take,
)
from vla_accel_ros.layers.shapes import HALF, RGB_MEAN, RGB_STD, DecoderConfig, TowerConfig
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import named, read_json
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig

MODEL_TYPE = 'openvla'
PROCESSOR = 'preprocessor_config.json'

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_DINO = {'embed_dim': 1024, 'depth': 24, 'num_heads': 16, 'reg_tokens': 4, 'init_values': 1e-5}
_SIGLIP = {
    'embed_dim': 1152,
    'depth': 27,
    'num_heads': 16,
    'mlp_ratio': 3.7362,
    'class_token': False,
    'global_pool': 'map',
}
TIMM = {
    'vit_large_patch14_reg4_dinov2.lvd142m': _DINO,
    'vit_so400m_patch14_siglip_224': _SIGLIP,
    'vit_so400m_patch14_siglip_384': _SIGLIP,
}

# Llama's token for a lone space, which OpenVLA's prompts end with.
PROMPT_END = 29871

# The crop with which OpenVLA's LIBERO checkpoints were augmented, as a share of the area.
LIBERO_CROP = 0.9


# Of a vision tower: timm's name of an entry, what it may be, what holds where it is not given.
_NEEDED = ('embed_dim', 'depth', 'num_heads')
_TOWER = {
    'embed_dim': (kind_of(TowerConfig, 'width'), None),
    'depth': (kind_of(TowerConfig, 'depth'), None),
    'num_heads': (kind_of(TowerConfig, 'heads'), None),
    'mlp_ratio': (Number(0.01, 64), 4.0),
    'patch_size': (kind_of(TowerConfig, 'patch'), 14),
    'class_token': (Flag(), True),
    'reg_tokens': (kind_of(TowerConfig, 'registers'), 0),
    'init_values': (Number(), None),
    'global_pool': (Word(), 'token'),
}


def _tower(name: str, timm: Mapping, mean, std, where: str) -> TowerConfig:
    for needed in _NEEDED:
        if timm.get(needed) is None:
            raise FieldError(f'{where}.{needed} is missing')
    given = {key: take(timm, key, *kind, where=where) for key, kind in _TOWER.items()}
    try:
        return TowerConfig(
            name=name,
            width=given['embed_dim'],
            depth=given['depth'],
            heads=given['num_heads'],
            mlp=int(given['embed_dim'] * given['mlp_ratio']),
            patch=given['patch_size'],
            class_token=given['class_token'],
            registers=given['reg_tokens'],
            layer_scale=given['init_values'] is not None,
            attention_pool=given['global_pool'] == 'map',
            mean=mean,
            std=std,
        )
    except ValueError as error:
        raise FieldError(f'{where}: {error}') from error


# Our name of a size, and the public one. Public checkpoints leave out what equals transformers'
# Llama defaults, and so do ours.
_DECODER = {
    'width': 'hidden_size',
    'layers': 'num_hidden_layers',
    'heads': 'num_attention_heads',
    'mlp': 'intermediate_size',
    'rope_theta': 'rope_theta',
    'rms_eps': 'rms_norm_eps',
    'max_positions': 'max_position_embeddings',
}


# Drop-Then-Recovery's names for what is left out, a list of layers or of a flag for each.
_DROPPED = {'drop_attention': 'drop_attn_list', 'drop_mlp': 'drop_mlp_list'}


def _dropped(config: Mapping, text: Mapping, name: str, layers: int) -> tuple[int, ...]:
    where, given = ('', config) if name in config else ('text_config', text)
    values = given.get(name)
    if isinstance(values, list) and values and all(isinstance(v, bool) for v in values):
        if len(values) != layers:
            raise FieldError(
                f'{at(where, name)} has {len(values)} flags, expected one for each of the '
                f'{layers} layers'
            )
        return tuple(layer for layer, dropped in enumerate(values) if dropped)
    return tuple(sorted(take(given, name, kind_of(DecoderConfig, 'drop_mlp'), (), where)))


def _decoder(config: Mapping) -> DecoderConfig:
    text = take(config, 'text_config', Object(), {})
    where, default = 'text_config', DecoderConfig()
    if text.get('rope_scaling'):
        raise FieldError(f'{where}.rope_scaling is given, expected null')
    sizes = {
        ours: take(text, theirs, kind_of(DecoderConfig, ours), getattr(default, ours), where)
        for ours, theirs in _DECODER.items()
    }
    sizes['kv_heads'] = take(
        text, 'num_key_value_heads', kind_of(DecoderConfig, 'kv_heads'), sizes['heads'], where
    )
    sizes |= {
        ours: _dropped(config, text, theirs, sizes['layers']) for ours, theirs in _DROPPED.items()
    }
    sizes['vocab'] = take(text, 'vocab_size', kind_of(DecoderConfig, 'vocab'), 32000, where)
    try:
        return DecoderConfig(**sizes)
    except ValueError as error:
        raise FieldError(f'{where}: {error}') from error


def _normalisation(
    processor: Mapping, name: str, kind: Several, towers: int, first: tuple[float, ...]
) -> tuple[tuple[float, ...], ...]:
    """Give each tower's mean or std; of two the first is DINOv2, normalised as ImageNet."""
    default = (first, HALF) if towers == 2 else (HALF,)
    return take(processor, name, Several(kind, towers, towers), default)


def normalisation(
    processor: Mapping, towers: int
) -> tuple[tuple[tuple[float, ...], ...], tuple[tuple[float, ...], ...]]:
    """Read the means and standard deviations of a `preprocessor_config.json`.

    Args:
        processor: What it holds; nothing where there is no such file.
        towers: How many towers the model has.

    Returns:
        Means and standard deviations, three numbers a tower.

    Raises:
        FieldError: When one is not three numbers a tower, or out of range.
    """
    return (
        _normalisation(processor, 'means', RGB_MEAN, towers, IMAGENET_MEAN),
        _normalisation(processor, 'stds', RGB_STD, towers, IMAGENET_STD),
    )


def tower_ids(config: Mapping) -> tuple[str, ...]:
    """Read the names of a public checkpoint's vision towers.

    Raises:
        ValueError: When it is no OpenVLA.
        FieldError: When there are none, or more than two.
    """
    if config.get('model_type') != MODEL_TYPE:
        raise ValueError(f"model_type is '{config.get('model_type')}', expected '{MODEL_TYPE}'")
    return Several(Word(), 1, 2).read(config.get('timm_model_ids', []), 'timm_model_ids')


def public_config(config: Mapping, processor: Mapping | None = None, name: str = '') -> VLAConfig:
    """Translate a public `config.json` (and `preprocessor_config.json`).

    Args:
        config: What `config.json` holds.
        processor: What `preprocessor_config.json` holds, for the normalisation.
        name: The folder's name; v0.1 checkpoints are told by it where the config does not.

    Raises:
        ValueError: When it is no OpenVLA, has towers of unknown shape, or a value is not what it
            may be; the message begins with the value's path.
    """
    ids = tower_ids(config)
    sizes = {**TIMM, **take(config, '_tiny_vit', Object(), {})}
    unknown = [i for i in ids if i not in sizes]
    if unknown:
        raise ValueError(f'vision towers {list(ids)} are not known; known are {sorted(sizes)}')
    means, stds = normalisation(processor or {}, len(ids))
    names = ('featurizer', 'fused_featurizer')
    towers = tuple(
        _tower(
            names[i],
            Object().read(sizes[identity], f'_tiny_vit.{identity}'),
            means[i],
            stds[i],
            f'_tiny_vit.{identity}',
        )
        for i, identity in enumerate(ids)
    )
    decoder = _decoder(config)
    stats = take(config, 'norm_stats', Object(), {})
    backbone = take(config, 'llm_backbone_id', Word(), '')
    chat = backbone.startswith('vicuna') or 'openvla-v01' in name
    libero = bool(stats) and all(key.startswith('libero') for key in stats)
    padding = take(config, 'pad_to_multiple_of', Whole(0, decoder.vocab - 1), 64)
    image_sizes = take(config, 'image_sizes', Several(kind_of(VLAConfig, 'image_size'), 1), (224,))
    if len(set(image_sizes)) > 1:
        raise FieldError(f'image_sizes is {list(image_sizes)}, expected one size for all towers')
    return VLAConfig(
        towers=towers,
        decoder=decoder,
        head=TokensConfig(),
        image_towers=(tuple(range(len(towers))),),
        image_size=image_sizes[0],
        resize=take(config, 'image_resize_strategy', kind_of(VLAConfig, 'resize'), 'resize-naive'),
        centre_crop=LIBERO_CROP if libero else None,
        projector_layers=3
        if take(config, 'use_fused_vision_backbone', Flag(), len(towers) > 1)
        else 2,
        tokenizer_vocab=decoder.vocab - padding,
        bins=take(config, 'n_action_bins', kind_of(VLAConfig, 'bins'), 256),
        prompt_end=PROMPT_END if decoder.vocab > PROMPT_END else None,
        prompt='v0.1' if chat else 'v0.2',
        norm_stats=stats,
    )


def read(folder: Path, values: Mapping) -> VLAConfig:
    """Read a public folder's configuration.

    Args:
        folder: The folder.
        values: What `config.json` holds, with the checked `norm_stats`.

    Raises:
        CheckpointError: When a file does not say what is needed.
    """
    file, processor = folder / PROCESSOR, {}
    if file.exists() or file.is_symlink():
        processor = read_json(file)
        with named(folder / CONFIG):
            towers = len(tower_ids(values))
        with named(file):
            normalisation(processor, towers)
    with named(folder / CONFIG):
        return public_config(values, processor, folder.resolve().name)


def never_runs(config: VLAConfig, name: str) -> bool:
    """Say whether a public checkpoint's tensor belongs to what never runs.

    These are each tower's blocks behind the feature block, its final norm and its pooling head;
    and the rotary frequencies that old Llama files store.
    """
    if name.endswith('rotary_emb.inv_freq'):
        return True
    for tower in config.towers:
        prefix = f'vision_backbone.{tower.name}.'
        if name.startswith(prefix):
            rest = name[len(prefix) :].split('.')
            late = rest[0] == 'blocks' and rest[1].isdigit() and int(rest[1]) >= tower.blocks
            return late or rest[0] in ('norm', 'attn_pool')
    return False
