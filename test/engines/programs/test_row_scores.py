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

"""Scores of many rows, a block at a time."""

import pytest
import torch

from vla_accel_ros.engines.programs import scores as module
from vla_accel_ros.engines.programs.scores import LayerScores, RowKind, RowScores
from vla_accel_ros.pruning.interface import Rows
from vla_accel_ros.pruning.scores import attention_rows, token_scores

IDS = torch.tensor([0, 2, 3, 7, 8, 9, 12, 17])


@pytest.fixture
def passed():
    """What a span gave of a sequence of two cameras of nine tokens, some of them left."""
    torch.manual_seed(0)
    positions = torch.cat([torch.zeros(1, dtype=torch.long), 1 + IDS, 19 + torch.arange(6)])
    length = len(positions)
    return {
        'queries.1': torch.randn(1, 4, length, 8),
        'new': torch.randn(1, 2, 1, 2, length, 8),
        'positions': positions,
        'ids': IDS,
    }


@pytest.mark.parametrize('causal', [True, False])
@pytest.mark.parametrize('rows', [(None, None), (None, -2), (-6, None), (-1, None)])
def test_blocks_of_rows_give_what_all_rows_at_once_give(passed, rows, causal, monkeypatch):
    wanted = LayerScores(1, 0, (RowKind(Rows.ALL, *rows),), entropy=True)
    program = RowScores((wanted,), cameras=2, tokens=9, causal=causal)
    found = []
    for block in (100, 4, 1):
        monkeypatch.setattr(module, 'BLOCK', block)
        found.append(program.run(passed, {}))
        assert tuple(found[-1]) == program.outputs
    text = LayerScores(1, 0, (RowKind(Rows.TEXT, -6, None),), focus=True)
    program = RowScores((text,), cameras=2, tokens=9, causal=causal)
    monkeypatch.setattr(module, 'BLOCK', 4)
    blocks = program.run(passed, {})
    assert tuple(blocks) == program.outputs
    monkeypatch.setattr(module, 'BLOCK', 100)
    torch.testing.assert_close(
        program.run(passed, {})['focus.1.text'], blocks['focus.1.text'], rtol=0, atol=1e-6
    )
    for one in found[1:]:
        for name, tolerance in (('received', 1e-7), ('entropy', 1e-5), ('present', 0)):
            key = f'{name}.1.all'
            torch.testing.assert_close(one[key], found[0][key], rtol=0, atol=tolerance)
    assert found[0]['present.1.all'].flatten().nonzero().flatten().tolist() == IDS.tolist()


@pytest.mark.parametrize('causal', [True, False])
@pytest.mark.parametrize('left', [6, 7])
def test_queries_of_the_last_rows_alone_give_the_same_scores(passed, causal, left):
    wanted = LayerScores(1, 0, (RowKind(Rows.TEXT, -6, -1),))
    program = RowScores((wanted,), cameras=2, tokens=9, causal=causal)
    whole = program.run(passed, {})
    few = program.run(passed | {'queries.1': passed['queries.1'][:, :, -left:]}, {})
    assert all(torch.equal(few[name], whole[name]) for name in program.outputs)


@pytest.mark.parametrize('block', [100, 4])
def test_a_row_that_stands_apart_takes_no_attention_from_the_others(passed, block, monkeypatch):
    monkeypatch.setattr(module, 'BLOCK', block)
    wanted = (RowKind(Rows.TEXT, -6, -1), RowKind(Rows.ACTION, -1, None))
    program = RowScores((LayerScores(1, 0, wanted),), 2, 9, causal=False, apart=1)
    found = program.run(passed, {})
    queries, keys = passed['queries.1'][0], passed['new'][0, 0, 0]
    for name, rows, seen in (('text', slice(-6, -1), -1), ('action', slice(-1, None), None)):
        weights = attention_rows(queries[:, rows], keys[:, :seen])
        expected = token_scores(weights, 1, IDS, 2, 9).received
        torch.testing.assert_close(found[f'received.1.{name}'], expected, rtol=0, atol=1e-7)
