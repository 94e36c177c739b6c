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


from hypothesis import given
from hypothesis import strategies as st
import numpy as np
from pruning_harness import drive, edged, flat, moving, ramp
import pytest
import torch

from vla_accel_ros.pruning.edges import edge_patches
from vla_accel_ros.pruning.interface import Layout
from vla_accel_ros.pruning.methods.sp_vla import SpVlaParameters, code_parameters, mass_threshold
from vla_accel_ros.pruning.registry import create
from vla_accel_ros.pruning.selection import mass

P = SpVlaParameters(v_low=0.1, v_high=0.3)


def test_the_papers_law_falls_from_one_at_v_low_to_zero_at_v_high():
    speeds = (0.0, 0.1, 0.15, 0.2, 0.3, 0.9)
    got = [mass_threshold(P, moving(v)) for v in speeds]
    assert got == pytest.approx([1, 1, 0.75, 0.5, 0, 0])


@given(st.floats(-1.5, 1.5))
def test_the_codes_law_is_the_released_formula_in_normalised_units(dz):
    z_thre, z_min = 0.5, 0.9
    parameters = code_parameters('spatial', z_unit_m=0.05, step_s=0.1)
    expected = 1.0
    if abs(dz) > z_thre:
        expected = 1 - (min(abs(dz), 1) - z_thre) * z_min / (1 - z_thre)
    motion = moving(speed=0.4, rise=dz * 0.05 / 0.1)
    assert mass_threshold(parameters, motion) == pytest.approx(expected)


def test_the_codes_law_looks_at_dz_alone_the_papers_at_the_whole_speed():
    code = SpVlaParameters(law='code', v_low=0.1, v_high=0.3)
    sideways = moving(0.3)
    assert mass_threshold(code, sideways) == 1
    assert mass_threshold(P, sideways) == pytest.approx(0)
    assert mass_threshold(code, moving(0.0, rise=-0.2)) == pytest.approx(0.5)


def test_unknown_suites_and_scales_are_refused():
    with pytest.raises(ValueError, match="suite is 'kitchen', expected one of"):
        code_parameters('kitchen', 0.05, 0.1)
    with pytest.raises(ValueError, match=r'z_unit_m is 0\.0 m'):
        code_parameters('goal', 0.0, 0.1)


def test_slow_motion_prunes_nothing_and_computes_nothing(layout):
    pruner = create('sp_vla', layout)
    seen = drive(pruner, moving(0.01))
    assert seen.count == 256
    assert not seen.needs.tower_attention
    assert pruner.reason == 'slow'


def test_kept_is_the_attention_mass_and_the_edges(layout):
    pruner = create('sp_vla', layout, v_low=0.1, v_high=0.3, round_up=False)
    images = edged(layout)
    edges = torch.from_numpy(edge_patches(images, layout))
    assert edges.sum() == 1
    seen = drive(pruner, moving(0.2), images)
    expected = mass(ramp(layout), 0.5) | edges
    assert torch.equal(seen.mask, expected)
    assert seen.mask[0, 0] and not mass(ramp(layout), 0.5)[0, 0]


def test_at_full_speed_the_edges_alone_stay(layout):
    pruner = create('sp_vla', layout, round_up=False)
    images = edged(layout)
    seen = drive(pruner, moving(2.0), images)
    assert torch.equal(seen.mask, torch.from_numpy(edge_patches(images, layout)))


def test_faster_never_keeps_more(layout):
    pruner = create('sp_vla', layout)
    images = edged(layout)
    counts = [drive(pruner, moving(v), images).count for v in np.linspace(0, 1.0, 12)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 256 and counts[-1] == 32


def test_rounding_up_adds_the_next_most_important(layout):
    pruner = create('sp_vla', layout)
    seen = drive(pruner, moving(2.0), edged(layout))
    assert seen.mask[0, 0]
    assert seen.mask[0, -31:].all() and seen.count == 32


def test_indices_ascend_whatever_the_scores(layout):
    pruner = create('sp_vla', layout)
    falling = ramp(layout).flip(-1)
    seen = drive(pruner, moving(0.2), towers=falling)
    for index in seen.kept['towers'].indices:
        assert torch.equal(index, index.sort().values)


@pytest.mark.parametrize(
    ('place', 'where'),
    [('before_projector', 'towers'), ('before_llm', 'projector'), ('after_layer', 'layer 2')],
)
def test_the_same_tokens_are_dropped_at_the_place_asked_for(layout, place, where):
    images = edged(layout)
    early = drive(create('sp_vla', layout), moving(0.2), images)
    seen = drive(create('sp_vla', layout, place=place), moving(0.2), images)
    assert list(seen.kept) == [where]
    assert torch.equal(seen.mask, early.mask)
    assert seen.needs.drops == ((2,) if place == 'after_layer' else (0,))


def test_each_camera_keeps_its_own_mass():
    layout = Layout(2, 8, 8, 14, 8)
    pruner = create('sp_vla', layout, v_low=0.1, v_high=0.3, edges=False, round_up=False)
    towers = torch.ones(2, 64)
    towers[0, 10] = 1e6
    towers[1, :32] = 3.0
    seen = drive(pruner, moving(0.2), towers=towers)
    assert seen.mask[0].nonzero().flatten().tolist() == [10]
    assert seen.mask[1].nonzero().flatten().tolist() == list(range(22))


def test_a_fixed_budget_keeps_its_count_edges_first(layout):
    pruner = create('sp_vla', layout, budget='fixed', keep=0.25)
    seen = drive(pruner, None, edged(layout))
    assert seen.count == 64 and seen.mask[0, 0]


def test_without_edges_switched_on_the_image_is_not_looked_at(layout):
    pruner = create('sp_vla', layout, edges=False)
    assert drive(pruner, moving(2.0), flat(layout)).count == 32
