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

"""Packed matrices: one product in place of several, and nothing else changes."""

import copy

import pytest
import torch

from vla_accel_ros.layers.llama import LlamaDecoder
from vla_accel_ros.layers.shapes import DecoderConfig

CONFIG = DecoderConfig(width=32, layers=2, heads=4, kv_heads=2, mlp=40, vocab=50)


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return LlamaDecoder(CONFIG).eval()


@torch.inference_mode()
def run(decoder, dtype=torch.float32):
    x = torch.randn(1, 6, 32, generator=torch.Generator().manual_seed(1)).to(dtype)
    return decoder.run(x, torch.arange(6)[None])


def matrices(decoder):
    return [part for layer in decoder.layers for part in (layer.self_attn, layer.mlp)]


def assert_packed(decoder):
    for module in matrices(decoder):
        weights = [module.get_submodule(name).weight for name in module.parts]
        assert torch.equal(module.packed, torch.cat(weights))
        assert all(
            weight.untyped_storage().data_ptr() == module.packed.untyped_storage().data_ptr()
            for weight in weights
        )


def test_packing_changes_neither_results_nor_names_nor_parameters(decoder):
    plain, state = run(decoder), {k: v.clone() for k, v in decoder.state_dict().items()}
    parameters = dict(decoder.named_parameters())
    decoder.pack()
    decoder.pack()
    assert_packed(decoder)
    torch.testing.assert_close(run(decoder), plain, atol=1e-6, rtol=1e-5)
    assert list(decoder.state_dict()) == list(state)
    assert all(torch.equal(decoder.state_dict()[name], state[name]) for name in state)
    assert all(parameters[name] is each for name, each in decoder.named_parameters())


CHANGES = {
    'to': lambda decoder: decoder.to(torch.float64),
    'bfloat16': lambda decoder: decoder.bfloat16(),
    'copy': copy.deepcopy,
    'load': lambda decoder: decoder.load_state_dict(LlamaDecoder(CONFIG).state_dict()) and decoder,
    'assign': lambda decoder: (
        decoder.load_state_dict(LlamaDecoder(CONFIG).state_dict(), assign=True) and decoder
    ),
}


@pytest.mark.parametrize('change', CHANGES)
def test_what_changes_the_weights_changes_the_matrix(decoder, change):
    decoder.pack()
    decoder = CHANGES[change](decoder)
    assert_packed(decoder)
    dtype = decoder.norm.weight.dtype
    packed = run(decoder, dtype)
    for module in matrices(decoder):
        module.packed = None
    close = {} if dtype == torch.bfloat16 else {'atol': 1e-6, 'rtol': 1e-5}
    torch.testing.assert_close(packed, run(decoder, dtype), **close)


def test_training_goes_on_after_packing(decoder):
    optimiser = torch.optim.SGD(decoder.parameters(), lr=0.1)
    decoder.pack()
    before = run(decoder)
    decoder.run(torch.randn(1, 6, 32), torch.arange(6)[None]).square().mean().backward()
    assert all(
        parameter.grad is not None
        for name, parameter in decoder.named_parameters()
        if name != 'embed_tokens.weight'
    )
    optimiser.step()
    assert_packed(decoder)
    assert not torch.allclose(run(decoder), before)
