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

from bench_subject import TINY
import pytest
import torch

from vla_accel_ros.engines.device import Rates
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.planner import Drop, Planner
from vla_accel_ros.engines.store import Store
from vla_accel_ros.models import presets
from vla_accel_ros.models.random_weights import random_model
from vla_accel_ros.models.token_costs import counted, kept_or_measured

SIZES = (32, 64, 128, 256)
# A choice is a few dozen small operations.
CHOICE = 60


def planner_of(rates, config=None):
    config = presets.mid() if config is None else config
    return Planner(counted(config, rates, 4, SIZES), config.visual_tokens, SIZES)


def choice_ms(rates):
    return 1e3 * CHOICE * rates.launch


def test_where_starting_operations_takes_the_time_a_drop_does_not_pay():
    rates = Rates(copy=1e13, matrix=1e16, bytes=1, launch=1e-4)
    planner = planner_of(rates)
    assert planner.ms(Drop(0), 32) == pytest.approx(planner.full_ms, rel=0.01)
    assert planner.pays_up_to(Drop(0, projector=True), choice_ms(rates)) == 0


def test_where_arithmetic_takes_the_time_a_drop_pays_almost_always():
    rates = Rates(copy=1e11, matrix=1e11, bytes=1, launch=1e-6)
    planner = planner_of(rates)
    assert planner.pays_up_to(Drop(0), choice_ms(rates)) >= 254
    assert planner.ms(Drop(0), 64) < 0.4 * planner.full_ms


@pytest.mark.parametrize('matrix', [2e11, 1e12, 5e12])
def test_the_bound_is_where_what_is_saved_equals_the_choice(matrix):
    rates = Rates(copy=1e13, matrix=matrix, bytes=1, launch=2e-5)
    planner = planner_of(rates)
    most = planner.pays_up_to(Drop(0), choice_ms(rates))
    a_token = (planner.full_ms - planner.ms(Drop(0), 128)) / 128
    # Almost straight: the attention's share grows with the square of the tokens.
    assert 256 - most == pytest.approx(choice_ms(rates) / a_token, rel=0.1, abs=2)


def test_a_faster_device_with_the_same_launch_cost_moves_the_bound_down():
    bounds = [
        planner_of(Rates(1e13, matrix, 1, 2e-5)).pays_up_to(Drop(0), 1.2)
        for matrix in (1e11, 1e12, 3e12, 1e13)
    ]
    assert bounds == sorted(set(bounds), reverse=True) and bounds[0] > 250 > bounds[-1]


@pytest.fixture(scope='module')
def model():
    return random_model(TINY, 'cpu', torch.float32)


def test_costs_are_measured_once_and_kept(model, tmp_path):
    store, told = Store(tmp_path), []
    made = kept_or_measured(model, EAGER, model.new_cache, (16, 64), Store(tmp_path, told.append))
    assert told and made.layers == TINY.decoder.layers
    assert all(ms > 0 for _, ms in made.layer.points + made.projector.points)
    assert made.launch_ms > 0
    assert kept_or_measured(model, EAGER, model.new_cache, (16, 64), store) == made
    (entry,) = store.entries()
    (entry.path / 'token_costs.json').write_text('{')
    again = kept_or_measured(model, EAGER, model.new_cache, (16, 64), store)
    assert [count for count, _ in again.layer.points] == [16, 64]


def test_a_store_that_cannot_be_written_is_no_obstacle(model, tmp_path):
    file = tmp_path / 'file'
    file.write_text('')
    made = kept_or_measured(model, EAGER, model.new_cache, (16, 64), Store(file / 'inside'))
    assert made.layer(64) > 0


def test_an_engine_that_cannot_run_the_model_says_so(model, tmp_path):
    class Broken:
        name, precision, exact = 'broken', 'float32', True

        def ready(self, program, bucket):
            raise EngineError(f'{program.name} is too much')

    with pytest.raises(EngineError, match='span is too much'):
        kept_or_measured(model, Broken(), model.new_cache, (16, 64), Store(tmp_path))
