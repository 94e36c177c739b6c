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

"""ONNX Runtime's own operators are taken where they do what the layers do."""

from dataclasses import fields, replace

from tiny_models import TOKENS, tiny_model

from vla_accel_ros.engines.onnx.own_layers import fits
from vla_accel_ros.engines.programs.decoder import Loop, Span
from vla_accel_ros.layers.shapes import DecoderConfig


def decoder_of(**changes):
    model = tiny_model(replace(TOKENS, decoder=replace(TOKENS.decoder, **changes)))
    return model.language_model.model


def test_they_fit_whole_layers_with_plain_norms_and_wide_heads():
    assert fits(decoder_of(width=64))
    assert not fits(decoder_of(width=64, drop_attention=(1,)))
    assert not fits(decoder_of(width=64, drop_mlp=(1,)))
    assert not fits(decoder_of(width=64, norm_adds_one=True))
    # Heads of 8 channels.
    assert not fits(decoder_of())


def test_what_they_do_not_fit_is_made_of_those_of_onnx(tokens_model, tokens_graphs):
    language = tokens_model.language_model
    loop = Loop(language.model, language.lm_head, 3)
    assert not tokens_graphs.graph(loop, own=True).own
    # Sequences have many rows, and few nodes for them.
    span = Span(tokens_model.language_model.model, 0, 3, norm=True)
    assert not tokens_graphs.graph(span, own=True).own


def test_each_fact_of_a_decoder_is_looked_at():
    # A new one needs a look at `own_layers`: does it do that, or must `fits` refuse it?
    assert {each.name for each in fields(DecoderConfig)} == {
        # Sizes, rotation and activation are taken from the model's own modules and numbers.
        *('width', 'layers', 'heads', 'kv_heads', 'mlp', 'vocab', 'head_size', 'max_positions'),
        *('rope_theta', 'rms_eps', 'activation', 'scaled_embedding', 'logits'),
        # Refused.
        *('drop_attention', 'drop_mlp', 'norm_adds_one'),
    }
