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


from dataclasses import FrozenInstanceError

import pytest

from vla_accel_ros.pruning.interface import Layout
from vla_accel_ros.pruning.methods.fastv import FastVParameters
from vla_accel_ros.pruning.methods.sp_vla import SpVlaParameters
from vla_accel_ros.pruning.parameters import Parameters, auto_layer, scored_layer
from vla_accel_ros.pruning.registry import METHODS, own_values, parameters_of
from vla_accel_ros.pruning.specprune_parameters import SpecPruneParameters


@pytest.mark.parametrize('keep', [0, 0.0, -0.1, 1.01, float('nan'), float('inf')])
def test_keep_ratio_outside_its_range_is_refused_by_name_and_value(keep):
    with pytest.raises(ValueError, match=r'keep is .*, expected a number from 0.001 to 1.0'):
        FastVParameters(keep=keep)


def test_an_integer_serves_as_a_float():
    assert FastVParameters(keep=1).keep == 1.0


@pytest.mark.parametrize('bad', ['0.5', None, True, [0.5]])
def test_a_value_of_another_type_is_refused(bad):
    with pytest.raises(ValueError, match='keep is'):
        FastVParameters(keep=bad)


def test_a_float_does_not_serve_as_an_integer():
    with pytest.raises(ValueError, match=r'layer is 2\.0, expected a whole number from 0 to 1024'):
        FastVParameters(layer=2.0)


def test_an_unknown_choice_lists_the_choices():
    with pytest.raises(ValueError, match=r"rows is 'first_row', expected one of 'all_rows'"):
        FastVParameters(rows='first_row')


def test_the_unit_is_part_of_a_range_error():
    with pytest.raises(ValueError, match=r'v_low is -1\.0, expected .* to 10\.0 m/s'):
        SpVlaParameters(v_low=-1.0)


@pytest.mark.parametrize(
    ('buckets', 'message'),
    [
        ([], r'buckets is \[\], expected a list of at least 1'),
        ([64, 32], 'expected ascending'),
        ([32, 32], 'expected ascending'),
        ([0], r'buckets\[0\] is 0'),
        ('64', 'expected a list'),
        (64, 'expected a list'),
    ],
)
def test_buckets_that_are_no_ascending_counts_are_refused(buckets, message):
    with pytest.raises(ValueError, match=message):
        Parameters(buckets=buckets)


def test_lists_become_tuples_and_parameters_are_frozen():
    parameters = Parameters(buckets=[16, 32])
    assert parameters.buckets == (16, 32)
    with pytest.raises(FrozenInstanceError):
        parameters.round_up = False


def test_sp_vla_speeds_and_thresholds_must_be_in_order():
    with pytest.raises(ValueError, match=r'v_low is 0.3 m/s, expected below v_high 0.3 m/s'):
        SpVlaParameters(v_low=0.3, v_high=0.3)
    with pytest.raises(ValueError, match='canny_low is 300'):
        SpVlaParameters(canny_low=300.0)


@pytest.mark.parametrize('layers', [[0, 3], [5, 5], [9, 4]])
def test_specprune_layer_lists_must_ascend(layers):
    with pytest.raises(ValueError, match='drop_layers is'):
        SpecPruneParameters(drop_layers=layers)


def test_automatic_layers_are_the_papers_at_32_layers_and_scale_to_others():
    assert auto_layer('layer', 0, 3, 32, 31) == 3
    assert auto_layer('layer', 0, 15, 8, 8) == 4
    assert auto_layer('layer', 0, 2, 4, 3) == 1
    assert auto_layer('layer', 2, 3, 8, 7) == 2


def test_a_layer_that_the_decoder_lacks_is_refused():
    with pytest.raises(ValueError, match='layer is 9, expected 1 to 7 in a decoder of 8 layers'):
        auto_layer('layer', 9, 3, 8, 7)


def test_where_the_automatic_layer_has_no_attention_the_nearest_stands_in():
    blind = Layout(1, 4, 4, 8, 8, without_attention=(3, 4, 5, 8))
    assert scored_layer('layer', 0, 16, blind, 7) == 2
    assert scored_layer('layer', 0, 8, blind, 7) == 2
    assert scored_layer('layer', 0, 32, blind, 8) == 7
    first = Layout(1, 4, 4, 8, 8, without_attention=(1, 2))
    assert scored_layer('layer', 0, 4, first, 7) == 3
    assert scored_layer('layer', 3, 4, first, 7) == 3
    with pytest.raises(ValueError, match=r'layer is 2, .* expected one of \[3, 4\]'):
        scored_layer('layer', 2, 4, first, 4)
    with pytest.raises(ValueError, match=r'layer is 1, .* expected one of \[\]'):
        scored_layer('layer', 0, 4, first, 2)


@pytest.mark.parametrize('name', METHODS)
def test_every_parameter_has_one_line_of_documentation_and_numbers_a_range(name):
    for each in parameters_of(name).values():
        assert each.why and '\n' not in each.why
        assert each.kind not in (int, float) or each.range is not None, each.name
        assert each.kind is not str or each.default in each.choices, each.name


def test_of_values_for_several_methods_each_gets_its_own():
    values = {'v_low': 0.2, 'window': 5, 'layer': 3}
    assert own_values('sp_vla', values) == {'v_low': 0.2, 'layer': 3}
    assert own_values('vla_pruner', values) == {'window': 5, 'layer': 3}
    assert own_values('none', values) == {}


def test_a_name_that_no_method_has_is_refused_whatever_the_method():
    for name in METHODS:
        with pytest.raises(ValueError, match=r"no method has parameters \['7', 'colour'\]"):
            own_values(name, {'colour': 'red', 7: 7, 'keep': 0.5})


def test_a_keep_ratio_asks_for_the_fixed_budget_unless_the_values_say_which():
    assert own_values('specprune', {'keep': 0.5}) == {'keep': 0.5, 'budget': 'fixed'}
    adaptive = {'keep': 0.5, 'budget': 'adaptive'}
    assert own_values('specprune', adaptive) == adaptive
    assert own_values('fastv', adaptive) == {'keep': 0.5}
