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

"""SmolVLA's denoising as programs: in all forms the same, and exported as in eager."""

import numpy as np
import pytest
import torch
from torch import nn

from vla_accel_ros.engines.programs.flow import Velocity
from vla_accel_ros.engines.programs.interleaved import CrossPrefix
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models.families.smolvla.config import SmolVLAConfig
from vla_accel_ros.models.families.smolvla.model import SmolVLAFlow

HELD, CAPACITY, CHUNK = (9, 9, 6, 5), 16, 4
MEMORY = DecoderConfig(width=32, layers=4, heads=4, kv_heads=2, mlp=8, vocab=20, logits=False)


@pytest.fixture
def flow():
    torch.manual_seed(0)
    config = SmolVLAConfig(chunk=CHUNK, numbers=9, expert_width=20, expert_mlp=28)
    return SmolVLAFlow(config, MEMORY).eval().requires_grad_(False)


@pytest.fixture
def given():
    torch.manual_seed(1)
    cache = KVCache(MEMORY, CAPACITY)
    for layer, count in enumerate(HELD):
        cache.room(layer, layer + 1, count).normal_()
        cache.grow(count, layer, layer + 1)
    return {
        'x': torch.randn(1, CHUNK, 9),
        'condition': torch.randn(20),
        'position': torch.tensor([12]),
        'store': cache.store,
        'lengths': cache.lengths,
    }


class Exported(nn.Module):
    """A program as a module.

    Args:
        program: The program.
        modules: Those that it is made of.
    """

    def __init__(self, program, modules) -> None:
        super().__init__()
        self.program, self.modules_of_it = program, modules

    def forward(self, *given):
        """Run it on its inputs, in their order."""
        made = self.program.run(dict(zip(self.program.inputs, given, strict=True)), {})
        return tuple(made[name] for name in self.program.outputs)


def by_onnx(program, modules, given, folder):
    """Give what onnxruntime makes of a program."""
    runtime = pytest.importorskip('onnxruntime')
    file = folder / f'{program.name}.onnx'
    inputs = tuple(given[name] for name in program.inputs)
    torch.onnx.export(
        Exported(program, modules),
        inputs,
        file,
        input_names=list(program.inputs),
        output_names=[f'out_{name}' for name in program.outputs],
        dynamo=True,
        verbose=False,
    )
    session = runtime.InferenceSession(str(file), providers=['CPUExecutionProvider'])
    feeds = {each.name: given[each.name].numpy() for each in session.get_inputs()}
    return dict(zip(program.outputs, session.run(None, feeds), strict=True))


def test_exported_programs_give_what_eager_gives(flow, given, tmp_path):
    prefix, step = CrossPrefix(flow.expert), Velocity(flow)
    projected = prefix.run(given, {})['store']
    found = by_onnx(prefix, flow, given, tmp_path)['store']
    np.testing.assert_allclose(found, projected, atol=1e-5, rtol=1e-5)
    given['store'] = projected
    expected = step.run(given, {})['velocity']
    found = by_onnx(step, flow, given, tmp_path)['velocity']
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-4)


def test_in_place_and_held_forms_give_the_same(flow, given):
    projected = CrossPrefix(flow.expert).run(given, {})['store']
    inside = given['store'].clone()
    done = CrossPrefix(flow.expert, HELD).run({'store': inside}, {'store': inside})['store']
    assert done is inside
    for layer, count in enumerate(HELD):
        torch.testing.assert_close(inside[layer][..., :count, :], projected[layer][..., :count, :])
        assert not inside[layer][..., count:, :].any()
    given['store'] = inside
    expected = Velocity(flow, (1, 2)).run(given, {})
    for held, room in ((HELD, {}), (HELD, {'store': inside.clone()}), (None, {'store': inside})):
        found = Velocity(flow, (1, 2), held).run(given, room)
        assert set(found) == set(expected)
        torch.testing.assert_close(found['velocity'], expected['velocity'], atol=1e-5, rtol=1e-4)
        # Cross layers have no rows of their own; what stands there is nobody's.
        torch.testing.assert_close(found['new'][::2], expected['new'][::2], atol=1e-5, rtol=1e-4)
