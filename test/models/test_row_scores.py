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

import pytest
import torch

from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.llama import LanguageModel
from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models import row_scores as module
from vla_accel_ros.models.row_scores import row_scores
from vla_accel_ros.pruning.interface import Layout

CONFIG = DecoderConfig(width=32, layers=1, heads=4, kv_heads=2, mlp=48, vocab=50)
LAYOUT = Layout(cameras=2, rows=3, columns=3, patch=8, layers=1)


@pytest.fixture
def passed():
    """A layer that a sequence went through: queries, positions, cache, the visual tokens left."""
    torch.manual_seed(0)
    decoder = LanguageModel(CONFIG).eval().requires_grad_(False).model
    ids = torch.tensor([0, 2, 3, 7, 8, 9, 12, 17])
    positions = torch.cat([torch.zeros(1, dtype=torch.long), 1 + ids, 19 + torch.arange(6)])
    cache = KVCache(CONFIG, len(positions))
    queries = torch.randn(1, len(positions), 32)
    cache.append(0, torch.randn(1, 2, len(positions), 8), torch.randn(1, 2, len(positions), 8))
    return decoder, queries, positions, cache, ids


@pytest.mark.parametrize('causal', [True, False])
@pytest.mark.parametrize('rows', [slice(None), slice(None, -2), slice(-6, None), slice(-1, None)])
def test_blocks_of_rows_give_what_all_rows_at_once_give(passed, rows, causal, monkeypatch):
    decoder, queries, positions, cache, ids = passed
    rope = decoder.rope(positions[None], queries)
    found = []
    for block in (100, 4, 1):
        monkeypatch.setattr(module, 'BLOCK', block)
        found.append(
            row_scores(
                decoder, 1, queries, rows, positions, rope, cache, ids, LAYOUT, causal, True
            )
        )
    for one in found[1:]:
        torch.testing.assert_close(one.received, found[0].received, rtol=0, atol=1e-7)
        torch.testing.assert_close(one.entropy, found[0].entropy, rtol=0, atol=1e-5)
        assert torch.equal(one.present, found[0].present)
    assert found[0].present.flatten().nonzero().flatten().tolist() == ids.tolist()
