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


from pruning_harness import drive, moving, ramp
import pytest
import torch

from vla_accel_ros.pruning.interface import Rows
from vla_accel_ros.pruning.registry import create


def test_none_asks_for_nothing_and_drops_nothing(layout):
    pruner = create('none', layout)
    seen = drive(pruner, moving(0.5))
    assert seen.count == 256 and not seen.kept
    needs = seen.needs
    assert not (needs.tower_attention or needs.distances or needs.layers or needs.decode)
    assert pruner.reason == 'keep_all'


def test_fastv_keeps_the_top_of_its_layer(layout):
    for rows, kind in (('last_row', Rows.LAST), ('all_rows', Rows.ALL)):
        seen = drive(create('fastv', layout, keep=0.25, rows=rows))
        assert seen.needs.layers == {2: (kind,)}
        assert torch.equal(seen.mask, ramp(layout) > 256 - 64)


def test_fastv_drops_after_the_layer_asked_for(layout):
    assert list(drive(create('fastv', layout, layer=7)).kept) == ['layer 7']


def test_random_repeats_itself_by_episode_and_differs_by_step_and_seed(layout):
    pruner = create('random', layout, keep=0.25, seed=3)
    first, second = drive(pruner).mask, drive(pruner).mask
    assert not torch.equal(first, second)
    pruner.reset()
    assert torch.equal(drive(pruner).mask, first)
    assert not torch.equal(drive(create('random', layout, keep=0.25, seed=4)).mask, first)


def test_random_keeps_the_same_count_of_each_camera(two_cameras):
    seen = drive(create('random', two_cameras, keep=0.3))
    assert seen.mask.sum(1).tolist() == [96, 96]


def test_random_splits_a_budget_that_the_cameras_do_not_divide(small):
    seen = drive(create('random', small, keep=0.125, round_up=False))
    assert seen.mask.sum(1).tolist() == [5, 4]


@pytest.mark.parametrize('keep', [0.1, 0.125, 0.25, 0.3, 0.5, 0.75])
def test_all_methods_keep_the_same_count_at_the_same_ratio(layout, two_cameras, keep):
    for where in (layout, two_cameras):
        counts = set()
        for name, options in (
            ('fastv', {}),
            ('random', {}),
            ('vla_pruner', {}),
            ('dart', {}),
            ('info_entropy', {}),
            ('sp_vla', {'budget': 'fixed'}),
            ('specprune', {'budget': 'fixed', 'layer_level': False}),
        ):
            pruner = create(name, where, keep=keep, **options)
            for step in range(4):
                seen = drive(pruner, moving(0.2), stamp_ns=step * 10**8)
            counts.add(seen.count)
        assert len(counts) == 1, counts
