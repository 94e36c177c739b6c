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

"""The names of a public SmolVLA's tensors."""

from __future__ import annotations

from collections.abc import Collection

from vla_accel_ros.models.checkpoints.sources import Sources
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.smolvla.sizes import CONNECTOR, EXPERT, TEXT, VISION, VLM, WHOLE

TOWER, DECODER = 'vision_backbone.featurizer.', 'language_model.model.'
# Statistics that older files hold beside the weights.
BUFFERS = ('normalize_inputs.', 'normalize_targets.', 'unnormalize_outputs.')
_BLOCK = {
    'norm1': ('layer_norm1',),
    'norm2': ('layer_norm2',),
    'attn.qkv': ('self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'),
    'attn.proj': ('self_attn.out_proj',),
    'mlp.fc1': ('mlp.fc1',),
    'mlp.fc2': ('mlp.fc2',),
}
_ENDS = ('weight', 'bias')
_LAYER = (
    *('input_layernorm', 'post_attention_layernorm', 'mlp.gate_proj', 'mlp.up_proj'),
    *('mlp.down_proj', 'self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'),
    'self_attn.o_proj',
)
_ALONE = ('action_in_proj', 'action_out_proj', 'action_time_mlp_in', 'action_time_mlp_out')


def sources(config: VLAConfig, stored: Collection[str]) -> Sources:
    """Give the stored names of a model's tensors.

    Args:
        config: The model's.
        stored: Names in the files. Where they are those of this package, nothing is renamed.
    """
    prefix = WHOLE if any(name.startswith(WHOLE + EXPERT) for name in stored) else ''
    if not prefix and not any(name.startswith(EXPERT) for name in stored):
        return {}
    layers = range(config.decoder.layers)
    found = {
        'projector.proj.weight': (CONNECTOR,),
        f'{DECODER}embed_tokens.weight': (f'{TEXT}embed_tokens.weight',),
        f'{DECODER}norm.weight': (f'{TEXT}norm.weight',),
        'flow.expert.norm.weight': (f'{EXPERT}norm.weight',),
        f'{TOWER}pos_embed': (f'{VISION}embeddings.position_embedding.weight',),
    }
    for ours, theirs in ((DECODER, TEXT), ('flow.expert.', EXPERT)):
        for layer in layers:
            for part in _LAYER:
                name = f'layers.{layer}.{part}.weight'
                found[f'{ours}{name}'] = (f'{theirs}{name}',)
    for end in _ENDS:
        found[f'{TOWER}patch_embed.proj.{end}'] = (f'{VISION}embeddings.patch_embedding.{end}',)
        found[f'{TOWER}norm.{end}'] = (f'{VISION}post_layernorm.{end}',)
        found[f'state_proj.{end}'] = (f'state_proj.{end}',)
        found |= {f'flow.{name}.{end}': (f'{name}.{end}',) for name in _ALONE}
        for block in range(config.towers[0].blocks):
            for ours, theirs in _BLOCK.items():
                found[f'{TOWER}blocks.{block}.{ours}.{end}'] = tuple(
                    f'{VISION}encoder.layers.{block}.{part}.{end}' for part in theirs
                )
    return {name: tuple(f'{prefix}{part}' for part in parts) for name, parts in found.items()}


def never_runs(name: str) -> bool:
    """Say whether a stored tensor is not needed: the output layer, or a statistic."""
    inner = name.removeprefix(WHOLE)
    return inner == f'{VLM}lm_head.weight' or inner.startswith(BUFFERS)
