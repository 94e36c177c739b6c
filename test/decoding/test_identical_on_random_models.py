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

"""Identical tokens on random models of any shape, with tokens dropped anywhere."""

from dropping import Dropping
from hypothesis import given, settings
from hypothesis import strategies as st
from margins import Margins, same_up_to_near_ties
import numpy as np
import pytest
import torch

from vla_accel_ros.decoding.registry import create
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.heads.tokens import answer
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.pruning.interface import Scene

WORDS, BINS, PADDING = 20, 30, 6
VOCAB = WORDS + BINS


@st.composite
def configurations(draw):
    heads, kv_groups = draw(st.sampled_from([(1, 1), (2, 1), (2, 2), (4, 2)]))
    decoder = DecoderConfig(
        width=heads * draw(st.sampled_from([4, 8])),
        layers=draw(st.integers(1, 4)),
        heads=heads,
        kv_heads=heads // kv_groups,
        mlp=24,
        vocab=VOCAB + PADDING,
    )
    tower = TowerConfig(
        name='featurizer', width=8, depth=1, heads=2, mlp=8, patch=8, feature_block=-1
    )
    return VLAConfig(
        towers=(tower,),
        decoder=decoder,
        head=TokensConfig(),
        image_towers=((0,),) * draw(st.integers(1, 2)),
        image_size=16,
        projector_layers=2,
        tokenizer_vocab=VOCAB,
        bins=BINS,
        prompt_end=None,
        action_dims=draw(st.integers(1, 9)),
    )


@st.composite
def cases(draw):
    config = draw(configurations())
    points = st.sampled_from(range(config.decoder.layers))
    tokens = st.sets(st.integers(0, config.visual_tokens - 1), max_size=config.visual_tokens - 1)
    draft = st.lists(
        st.one_of(st.just(-1), st.integers(0, VOCAB + PADDING - 1)),
        min_size=config.action_dims,
        max_size=config.action_dims,
    )
    return (
        config,
        draw(st.dictionaries(points, tokens, max_size=3)),
        draw(draft),
        draw(st.integers(2, 9)),
        draw(st.integers(0, 10**6)),
    )


@pytest.mark.parametrize('name', ['verify', 'jacobi'])
@settings(max_examples=60)
@given(case=cases())
def test_tokens_are_those_of_greedy_decoding(name, case):
    config, drops, draft, words, seed = case
    torch.manual_seed(seed)
    model = OpenVLA(config).eval().requires_grad_(False)
    pixels = torch.randn(1, config.channels, 16, 16)
    ids = torch.randint(0, WORDS, (1, words))
    # Larger logits, as a trained model has: random weights hardly choose.
    model.language_model.lm_head.weight.mul_(8)
    blank = (np.zeros((16, 16, 3), np.uint8),) * config.cameras

    def run(decoder, draft):
        with torch.inference_mode():
            return answer(
                model,
                pixels,
                ids,
                Scene(blank),
                Dropping(layout_of(config), drops),
                decoder,
                draft,
                WORDS,
                lambda length: model.new_cache(length + config.action_dims),
            )

    margins = Margins()
    greedy = run(margins, None)
    expected = greedy.decoded.tokens.tolist()
    # -1 stands for the right token.
    proposed = [e if d < 0 else d for d, e in zip(draft, expected, strict=True)]
    for proposal in (proposed, expected, None):
        answered = run(create(name), proposal)
        tokens = answered.decoded.tokens.tolist()
        assert same_up_to_near_ties(tokens, expected, margins.margins)
        assert answered.kept_ids.tolist() == greedy.kept_ids.tolist()
        assert 1 <= answered.decoded.passes <= config.action_dims
