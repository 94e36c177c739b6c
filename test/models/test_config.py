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

"""The configuration refuses what does not fit, naming the value."""

from dataclasses import replace

import pytest
import torch

from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.families.openvla.checkpoint import never_runs, public_config
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.presets import embedded, openvla_7b


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'image_towers': ()}, 'at least one image'),
        ({'image_towers': ((0, 2),)}, r'names towers \(0, 2\), there are 2'),
        ({'image_towers': ((0,), (1,))}, r'feature width: \[8, 16\]'),
        ({'image_size': 7}, 'image_size 7'),
        ({'resize': 'stretch'}, "resize is 'stretch'"),
        ({'centre_crop': 0.0}, 'centre_crop is 0.0'),
        ({'prompt': 'v3'}, "prompt is 'v3'"),
        ({'projector_layers': 0}, 'projector_layers is 0'),
        ({'tokenizer_vocab': 400}, 'tokenizer_vocab 400'),
    ],
)
def test_refuses_models_that_do_not_fit(small_config, change, message):
    with pytest.raises(ValueError, match=message):
        replace(small_config, **change)


@pytest.mark.parametrize(
    ('cls', 'values', 'message'),
    [
        (TowerConfig, {'width': 10, 'heads': 4}, 'width 10 is no multiple of its 4 heads'),
        (TowerConfig, {'depth': 3, 'feature_block': 3}, 'feature_block 3'),
        (TowerConfig, {'patch_embed': 'magic'}, "'magic'"),
        (TowerConfig, {'patch_embed': 'stem', 'patch': 12}, 'not 12'),
        (TowerConfig, {'mean': (0.5,)}, 'mean is a list of 1, expected a list of 3'),
        (DecoderConfig, {'width': 12, 'heads': 4}, 'width 12'),
        (DecoderConfig, {'heads': 4, 'kv_heads': 3}, '4 query heads'),
        (DecoderConfig, {'layers': 0}, 'layers is 0, expected a whole number from 1'),
    ],
)
def test_refuses_parts_that_do_not_fit(cls, values, message):
    with pytest.raises(ValueError, match=message):
        cls(**values)


def test_full_size_model_has_the_public_tensors():
    with torch.device('meta'):
        state = OpenVLA(openvla_7b()).state_dict()
    # 982 are public; the last block, the final norm and the pooling head never run.
    assert len(state) == 982 - (14 + 2) - (12 + 2 + 13)
    assert state['vision_backbone.fused_featurizer.blocks.25.mlp.fc1.weight'].shape == (4304, 1152)
    assert state['vision_backbone.featurizer.pos_embed'].shape == (1, 256, 1024)
    assert state['projector.fc1.weight'].shape == (8704, 2176)
    assert state['language_model.model.layers.31.mlp.gate_proj.weight'].shape == (11008, 4096)
    assert sum(t.numel() for t in state.values()) == pytest.approx(7.5e9, rel=0.02)


def test_what_never_runs_is_known_and_nothing_else():
    config = openvla_7b()
    base = 'vision_backbone.'
    for name in (
        'featurizer.blocks.23.ls1.scale_factor',
        'featurizer.norm.bias',
        'fused_featurizer.blocks.26.attn.qkv.weight',
        'fused_featurizer.attn_pool.q.bias',
    ):
        assert never_runs(config, base + name)
    for name in ('featurizer.blocks.22.norm1.weight', 'featurizer.head.weight', 'norm.weight'):
        assert not never_runs(config, base + name)


def test_sizes_of_the_full_model():
    config = openvla_7b()
    assert (config.visual_tokens, config.feature_width, config.channels) == (256, 2176, 6)
    assert config.tokenizer_vocab == 32000
    assert config.prompt_end == 29871


def test_embedded_model_has_one_tower_a_camera():
    config = embedded(60)
    assert config.image_towers == ((0,), (1,))
    assert config.visual_tokens == 72
    assert config.tokenizer_vocab == 60 + 256
    count = sum(p.numel() for p in OpenVLA(config).parameters())
    assert 2e6 < count < 4e6


def test_single_tower_chat_checkpoint_is_understood():
    config = public_config(
        {
            'model_type': 'openvla',
            'timm_model_ids': ['vit_so400m_patch14_siglip_224'],
            'llm_backbone_id': 'vicuna-v15-7b',
            'use_fused_vision_backbone': False,
            'text_config': {'vocab_size': 32064},
        }
    )
    assert config.prompt == 'v0.1'
    assert config.projector_layers == 2
    assert config.feature_width == 1152
    assert config.towers[0].mean == (0.5, 0.5, 0.5)


def test_libero_checkpoints_are_cropped_and_others_not():
    values = {
        'model_type': 'openvla',
        'timm_model_ids': ['vit_so400m_patch14_siglip_224'],
        'text_config': {'vocab_size': 32064},
    }
    assert public_config({**values, 'norm_stats': {'libero_goal': {}}}).centre_crop == 0.9
    assert public_config({**values, 'norm_stats': {'bridge_orig': {}}}).centre_crop is None


@pytest.mark.parametrize(
    ('attention', 'mlp', 'expected'),
    [
        ([3, 1], [], ((1, 3), ())),
        ([False, True, False, True], [True, False, False, False], ((1, 3), (0,))),
        (None, None, ((), ())),
    ],
)
def test_parts_that_drop_then_recovery_leaves_out_are_read(attention, mlp, expected):
    names = {'drop_attn_list': attention, 'drop_mlp_list': mlp}
    values = {'model_type': 'openvla', 'timm_model_ids': ['vit_so400m_patch14_siglip_224']}
    sizes = {'num_hidden_layers': 4}
    for where in ({**names, 'text_config': sizes}, {'text_config': {**sizes, **names}}):
        decoder = public_config({**values, **where}).decoder
        assert (decoder.drop_attention, decoder.drop_mlp) == expected


@pytest.mark.parametrize(
    ('lists', 'message'),
    [
        (
            {'drop_attn_list': [4]},
            r'drop_attention is \[4\], expected ascending layers from 0 to 3',
        ),
        ({'drop_attn_list': [0, 1, 2, 3]}, 'drop_attention leaves none of the 4 layers'),
        ({'drop_mlp_list': [True]}, 'drop_mlp_list has 1 flags, expected one for each of the 4'),
        ({'drop_mlp_list': 'all'}, "drop_mlp_list is 'all'"),
        ({'drop_mlp_list': [1.5]}, r'drop_mlp_list\[0\] is 1.5'),
    ],
)
def test_parts_that_cannot_be_left_out_are_refused_by_name(lists, message):
    values = {'model_type': 'openvla', 'timm_model_ids': ['vit_so400m_patch14_siglip_224']}
    with pytest.raises(ValueError, match=message):
        public_config({**values, **lists, 'text_config': {'num_hidden_layers': 4}})


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="'llava', expected 'openvla'"):
        public_config({'model_type': 'llava'})
    with pytest.raises(ValueError, match='resnet50'):
        public_config({'model_type': 'openvla', 'timm_model_ids': ['resnet50']})
