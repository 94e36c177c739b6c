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

"""Reading the configuration of public OpenVLA checkpoints."""

from __future__ import annotations

from .config import VLAConfig
from .transformer_config import HALF, DecoderConfig, TowerConfig

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_DINO = {
    'embed_dim': 1024, 'depth': 24, 'num_heads': 16, 'reg_tokens': 4, 'init_values': 1e-5,
}
_SIGLIP = {
    'embed_dim': 1152, 'depth': 27, 'num_heads': 16, 'mlp_ratio': 3.7362,
    'class_token': False, 'global_pool': 'map',
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


def _tower(name: str, timm: dict, mean, std) -> TowerConfig:
    width = timm['embed_dim']
    return TowerConfig(
        name=name,
        width=width,
        depth=timm['depth'],
        heads=timm['num_heads'],
        mlp=int(width * timm.get('mlp_ratio', 4.0)),
        patch=timm.get('patch_size', 14),
        class_token=timm.get('class_token', True),
        registers=timm.get('reg_tokens', 0),
        layer_scale=timm.get('init_values') is not None,
        attention_pool=timm.get('global_pool') == 'map',
        mean=mean,
        std=std,
    )


def _decoder(text: dict) -> DecoderConfig:
    # Public checkpoints leave out what equals transformers' Llama defaults, and so do ours.
    default = DecoderConfig()
    heads = text.get('num_attention_heads', default.heads)
    if text.get('rope_scaling'):
        raise ValueError(f"rope_scaling is {text['rope_scaling']}, expected none")
    return DecoderConfig(
        width=text.get('hidden_size', default.width),
        layers=text.get('num_hidden_layers', default.layers),
        heads=heads,
        kv_heads=text.get('num_key_value_heads') or heads,
        mlp=text.get('intermediate_size', default.mlp),
        vocab=text.get('vocab_size', 32000),
        rope_theta=text.get('rope_theta', default.rope_theta),
        rms_eps=text.get('rms_norm_eps', default.rms_eps),
        max_positions=text.get('max_position_embeddings', default.max_positions),
    )


def public_config(config: dict, processor: dict | None = None, name: str = '') -> VLAConfig:
    """Translate a public `config.json` (and `preprocessor_config.json`).

    Args:
        config: What `config.json` holds.
        processor: What `preprocessor_config.json` holds, for the normalisation.
        name: The folder's name; v0.1 checkpoints are told by it where the config does not.

    Raises:
        ValueError: When it is no OpenVLA, or has towers of unknown shape.
    """
    if config.get('model_type') != 'openvla':
        raise ValueError(f"model_type is '{config.get('model_type')}', expected 'openvla'")
    ids = config.get('timm_model_ids') or []
    sizes = {**TIMM, **config.get('_tiny_vit', {})}
    unknown = [i for i in ids if i not in sizes]
    if unknown or not 1 <= len(ids) <= 2:
        raise ValueError(f'vision towers {ids} are not known; known are {sorted(sizes)}')
    processor = processor or {}
    # Of the two towers the first is DINOv2, normalised as ImageNet; a single one is SigLIP.
    means = processor.get('means') or ([IMAGENET_MEAN] if len(ids) == 2 else []) + [HALF]
    stds = processor.get('stds') or ([IMAGENET_STD] if len(ids) == 2 else []) + [HALF]
    names = ('featurizer', 'fused_featurizer')
    towers = tuple(
        _tower(names[i], sizes[identity], means[i], stds[i]) for i, identity in enumerate(ids))
    decoder = _decoder(config.get('text_config', {}))
    stats = config.get('norm_stats') or {}
    chat = str(config.get('llm_backbone_id', '')).startswith('vicuna') or 'openvla-v01' in name
    libero = bool(stats) and all(key.startswith('libero') for key in stats)
    return VLAConfig(
        towers=towers,
        decoder=decoder,
        image_towers=(tuple(range(len(towers))),),
        image_size=config.get('image_sizes', [224])[0],
        resize=config.get('image_resize_strategy', 'resize-naive'),
        centre_crop=LIBERO_CROP if libero else None,
        projector_layers=3 if config.get('use_fused_vision_backbone', len(towers) > 1) else 2,
        tokenizer_vocab=decoder.vocab - config.get('pad_to_multiple_of', 64),
        bins=config.get('n_action_bins', 256),
        prompt_end=PROMPT_END if decoder.vocab > PROMPT_END else None,
        prompt='v0.1' if chat else 'v0.2',
        norm_stats=stats,
    )
