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

"""SmolVLA's head: chunks, with every pruning method, and what pruning may not change."""

import pytest
import torch

from vla_accel_ros.models.heads.flow_head import FlowHead
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.pruning.registry import METHODS, create

FEW = {
    'none': {},
    'sp_vla': {'budget': 'fixed', 'edges': False, 'keep': 0.5},
    'specprune': {'budget': 'fixed', 'keep': 0.5},
}
PLACES = {
    'random_in_towers': ('random', {'place': 'in_towers', 'tower_block': 1}),
    'sp_vla_in_towers': ('sp_vla', {**FEW['sp_vla'], 'place': 'in_towers', 'tower_block': 2}),
    'vla_pruner_of_the_state': ('vla_pruner', {'action_rows': 'prompt', 'keep': 0.5}),
}


def answers(head, pruner, ask_at, steps=6):
    """Answer the steps of an episode."""
    head.reset()
    with torch.inference_mode():
        return [
            head.answer(ask_at(step), pruner, lambda n: head.model.new_cache(n + 4))
            for step in range(steps)
        ]


@pytest.mark.parametrize('case', sorted([*METHODS, *PLACES]))
def test_every_method_prunes_and_gives_a_chunk(small_smolvla, ask_at, case):
    name, given = PLACES.get(case, (case, FEW.get(case, {'keep': 0.5})))
    layout = layout_of(small_smolvla.config)
    given = {'buckets': (64, 128, 192)} | given if name != 'none' else given
    pruner = create(name, layout, **given)
    found = answers(FlowHead(small_smolvla, None, small_smolvla.flow), pruner, ask_at)
    assert all(each.actions.shape == (4, 7) for each in found)
    kept = [len(each.stats.kept_ids) for each in found]
    assert (kept[-1] < layout.total) is (name != 'none'), pruner.reason
    assert set(found[-1].stats.work.needs.decode) <= {1, 3}


def test_the_same_asks_get_the_same_answers_in_each_episode(small_smolvla, ask_at):
    head = FlowHead(small_smolvla, None, small_smolvla.flow)
    pruner = create('none', layout_of(small_smolvla.config))
    first, again = (answers(head, pruner, ask_at, 2) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert (one.actions == other.actions).all()
    assert (first[0].actions != first[1].actions).any()


def test_cross_layers_give_no_scores_of_the_actions(small_smolvla):
    layout = layout_of(small_smolvla.config)
    assert layout.not_answering == (2, 4)
    pruner = create('vla_pruner', layout)
    assert (pruner._action_layers, pruner._whole_layer) == ((3,), 1)
    with pytest.raises(ValueError, match=r'action_layer is 2, .* expected one of \[1, 3\]'):
        create('vla_pruner', layout, action_layer=2)
