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

"""Passes one after the other are the loop."""

from tiny_models import tiny_model
import torch

from vla_accel_ros.engines.onnx.step import Step
from vla_accel_ros.engines.programs.decoder import Loop


@torch.inference_mode()
def test_steps_one_after_the_other_are_the_loop():
    model = tiny_model()
    language, config = model.language_model, model.config.decoder
    loop = Loop(language.model, language.lm_head, 4, taps=(2,))
    shape = config.layers, 2, 1, config.kv_heads, 20, config.head_width
    given = {
        'token': torch.tensor([[17]]),
        'position': torch.tensor([[50]]),
        'store': torch.randn(shape, generator=torch.Generator().manual_seed(1)),
        'lengths': torch.tensor([12, 7, 3]),
    }
    step, expected = Step(loop), loop.run(given, {})
    empty = torch.empty(1, config.kv_heads, 0, config.head_width)
    state = given | dict.fromkeys(step.made, empty)
    tokens, peaks, queries = [], [], []
    for _ in range(4):
        done = step.run(state, {})
        assert tuple(done) == step.outputs
        state = state | {name: done[name] for name in ('token', 'position', *step.made)}
        tokens.append(done['token'])
        peaks.append(done['peak'])
        queries.append(done['queries.2'])
    assert torch.equal(torch.cat(tokens, 1), expected['tokens'])
    torch.testing.assert_close(torch.cat(peaks, 1), expected['peaks'])
    torch.testing.assert_close(torch.cat(queries, 2), expected['queries.2'])
    made = torch.stack([state[name] for name in step.made]).view(expected['new'].shape)
    torch.testing.assert_close(made, expected['new'])
