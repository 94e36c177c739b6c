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

"""Names of the tensors of pi0's public checkpoints, and where they go in the model.

openpi's converted folders and LeRobot's have the same names, LeRobot's with or without the prefix
`model.`. The table of tokens stands once, as that of the output layer, or twice. Older exports
have the language model's and the tower's names in the order of older transformers.
"""

from __future__ import annotations

from collections.abc import Collection

from vla_accel_ros.models.checkpoints.sources import Sources
from vla_accel_ros.models.config import VLAConfig

PREFIX = 'model.'
_BOTH = 'paligemma_with_expert.'
_GEMMA = f'{_BOTH}paligemma.model.language_model.'
_EXPERT = f'{_BOTH}gemma_expert.model.'
_TOWER = f'{_BOTH}paligemma.model.vision_tower.vision_model.'
_PROJECTOR = f'{_BOTH}paligemma.model.multi_modal_projector.linear.'
_TABLES = (f'{_GEMMA}embed_tokens.weight', f'{_BOTH}paligemma.lm_head.weight')
_OLDER = (
    (f'{_BOTH}paligemma.language_model.model.', _GEMMA),
    (f'{_BOTH}paligemma.language_model.lm_head.', f'{_BOTH}paligemma.lm_head.'),
    (f'{_BOTH}paligemma.vision_tower.', f'{_BOTH}paligemma.model.vision_tower.'),
    (f'{_BOTH}paligemma.multi_modal_projector.', f'{_BOTH}paligemma.model.multi_modal_projector.'),
)
# What stands in files and never runs: the output layers, and the statistics of older exports.
_NEEDLESS = (
    f'{_BOTH}paligemma.lm_head.',
    f'{_BOTH}gemma_expert.lm_head.',
    f'{_BOTH}gemma_expert.model.embed_tokens.',
    f'{_TOWER}head.',
    f'{_TOWER}embeddings.position_ids',
    *('normalize_inputs.', 'normalize_targets.', 'unnormalize_outputs.'),
)
_BLOCK = {
    'norm1': 'layer_norm1',
    'norm2': 'layer_norm2',
    'attn.proj': 'self_attn.out_proj',
    'mlp.fc1': 'mlp.fc1',
    'mlp.fc2': 'mlp.fc2',
}


def plain(name: str) -> str:
    """Give the name that a stored tensor has in today's files without a prefix."""
    name = name.removeprefix(PREFIX)
    for older, newer in _OLDER:
        if name.startswith(older):
            return newer + name[len(older) :]
    return name


def needless(name: str) -> bool:
    """Say whether a stored tensor never runs."""
    return plain(name).startswith(_NEEDLESS) or plain(name) in _TABLES


def sources(config: VLAConfig, stored: Collection[str]) -> Sources:
    """Say which stored tensors the model's are; see `Family.sources`."""
    there = {plain(name): name for name in stored}
    if any(name in there for name in _ours(config)):
        # Written by this package.
        return {}
    return {
        ours: tuple(there.get(part, part) for part in parts)
        for ours, parts in _public(config, there).items()
    }


def _ours(config: VLAConfig) -> tuple[str, ...]:
    return ('language_model.model.embed_tokens.weight',)


def _public(config: VLAConfig, there: Collection[str]) -> dict[str, tuple[str, ...]]:
    tower = f'vision_backbone.{config.towers[0].name}.'
    table = next((name for name in _TABLES if name in there), _TABLES[-1])
    found = {
        'language_model.model.embed_tokens.weight': (table,),
        'language_model.model.norm.weight': (f'{_GEMMA}norm.weight',),
        f'{tower}pos_embed': (f'{_TOWER}embeddings.position_embedding.weight',),
    }
    for kind in ('weight', 'bias'):
        found |= {
            f'projector.fc1.{kind}': (f'{_PROJECTOR}{kind}',),
            f'{tower}patch_embed.proj.{kind}': (f'{_TOWER}embeddings.patch_embedding.{kind}',),
            f'{tower}norm.{kind}': (f'{_TOWER}post_layernorm.{kind}',),
        }
        for block in range(config.towers[0].blocks):
            own, theirs = f'{tower}blocks.{block}.', f'{_TOWER}encoder.layers.{block}.'
            found |= {f'{own}{a}.{kind}': (f'{theirs}{b}.{kind}',) for a, b in _BLOCK.items()}
            found[f'{own}attn.qkv.{kind}'] = tuple(
                f'{theirs}self_attn.{part}_proj.{kind}' for part in 'qkv'
            )
        for layer in _flow_layers(config):
            found[f'flow.{layer}.{kind}'] = (f'{layer}.{kind}',)
        norms = ('norm', *_layer_norms(config.head.expert.layers))
        ending = f'dense.{kind}' if config.head.adaptive else kind
        if config.head.adaptive or kind == 'weight':
            found |= {
                f'flow.expert.{norm}.{ending}': (f'{_EXPERT}{norm}.{ending}',) for norm in norms
            }
    for name in (*_layer_norms(config.decoder.layers), *_matrices(config.decoder.layers)):
        found[f'language_model.model.{name}.weight'] = (f'{_GEMMA}{name}.weight',)
    for name in _matrices(config.head.expert.layers):
        found[f'flow.expert.{name}.weight'] = (f'{_EXPERT}{name}.weight',)
    return found


def _flow_layers(config: VLAConfig) -> tuple[str, ...]:
    times = ('time_mlp_in', 'time_mlp_out')
    if not config.head.adaptive:
        times = ('action_time_mlp_in', 'action_time_mlp_out')
    state = ('state_proj',) if config.head.state else ()
    return ('action_in_proj', 'action_out_proj', *times, *state)


def _layer_norms(layers: int) -> tuple[str, ...]:
    kinds = ('input_layernorm', 'post_attention_layernorm')
    return tuple(f'layers.{layer}.{kind}' for layer in range(layers) for kind in kinds)


def _matrices(layers: int) -> tuple[str, ...]:
    parts = (
        *(f'self_attn.{part}_proj' for part in 'qkvo'),
        *(f'mlp.{part}_proj' for part in ('gate', 'up', 'down')),
    )
    return tuple(f'layers.{layer}.{part}' for layer in range(layers) for part in parts)
