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
"""Small updates survive bfloat16, and the state is whole."""

import copy

import pytest
import torch
from torch import nn

from vla_accel_ros.training.optimiser import MasterOptimiser, schedule


def steps(optimiser, module, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        x = torch.randn(8, 4, generator=generator).bfloat16()
        (module(x) - 1).square().mean().backward()
        optimiser.step(1.0)


def made():
    torch.manual_seed(0)
    module = nn.Linear(4, 4)
    optimiser = MasterOptimiser({'m': module}, 1e-4, 0.0, 0.9)
    module.bfloat16()
    return module, optimiser


def test_updates_below_the_type_s_resolution_are_not_lost():
    module, optimiser = made()
    before = optimiser.masters['m.weight'].clone()
    steps(optimiser, module, 5)
    moved = (optimiser.masters['m.weight'] - before).abs()
    assert float(moved.min()) > 1e-5
    assert module.weight.dtype == torch.bfloat16
    torch.testing.assert_close(module.weight.data, optimiser.masters['m.weight'].bfloat16())


def test_a_reloaded_state_goes_on_as_if_nothing_had_happened():
    module, optimiser = made()
    steps(optimiser, module, 3, seed=1)
    saved = copy.deepcopy(optimiser.state())
    steps(optimiser, module, 3, seed=2)
    other_module, other = made()
    other.load(saved)
    steps(other, other_module, 3, seed=2)
    for key, value in optimiser.masters.items():
        assert torch.equal(value, other.masters[key])
        assert torch.equal(optimiser.averages[key], other.averages[key])


def test_a_step_that_is_not_finite_changes_nothing():
    module, optimiser = made()
    before = optimiser.masters['m.weight'].clone()
    module.weight.grad = torch.full_like(module.weight, float('nan'))
    optimiser.step(1.0)
    assert torch.equal(before, optimiser.masters['m.weight'])


def test_other_weights_are_refused():
    _, optimiser = made()
    with pytest.raises(ValueError, match='other weights'):
        optimiser.load({'masters': {}, 'averages': {}, 'steps': 0, 'adam': {}})


def test_the_schedule_rises_and_falls():
    factors = [schedule(step, 100, 10, 0.1) for step in range(101)]
    assert factors[0] == 0.1
    assert max(factors) == factors[10] == 1.0
    assert abs(factors[100] - 0.1) < 1e-9
