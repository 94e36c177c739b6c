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

from dataclasses import replace

from made_up import MODEL
import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.nodes.scheduler_settings import SETTINGS
from vla_accel_ros.pruning.registry import METHODS, parameters_of
from vla_accel_ros.scheduling.rules import interface as rules
from vla_accel_ros.tuning.spaces import PRUNING, RULES, spaces

NODE = {setting.name: setting for setting in SETTINGS}


def names(text, *ranges):
    return [[d.name for d in space.dimensions] for space in spaces(text, MODEL, ranges)]


def test_each_method_is_searched_for_what_it_looks_at():
    velocity = ['v_min', 'w_max', 'tau', 'gripper_guard', 'capacity']
    assert names('hold,ridge,fastv,relaxed,hold+jacobi') == [
        velocity,
        [*velocity, 'ridge_penalty'],
        ['keep', 'layer', 'rows'],
        ['relaxed_bins', 'draft', 'predictor'],
        [*velocity, 'draft'],
    ]


def test_of_chunks_and_of_denoising_steps_what_the_model_has_is_searched():
    flow = replace(MODEL, chunk=16, steps=10)
    found = spaces('none,flow_fast,flow_fast@execute=chunk,fastv', flow)
    assert [[d.name for d in space.dimensions] for space in found] == [
        ['flow_steps'],
        ['execute_rows', 'overlap', 'flow_steps'],
        ['flow_steps'],
        ['keep', 'layer', 'rows', 'flow_steps'],
    ]
    rows, _, steps = found[1].dimensions
    assert (rows.low, rows.high, steps.low, steps.high) == (1, 16, 1, 10)
    assert found[1].start == {'execute_rows': 8, 'overlap': False, 'flow_steps': 1}
    moved = found[1].with_values({'execute_rows': 5, 'overlap': True, 'flow_steps': 3}, 'moved')
    assert (moved.scheduler.execute_rows, moved.scheduler.overlap, moved.flow_steps) == (
        5,
        True,
        3,
    )


def test_what_is_given_is_not_searched():
    assert names('hold@tau=0.3,v_min=0.2') == [['w_max', 'gripper_guard', 'capacity']]
    assert names('sp_vla_pruning@keep=0.5') == [['edges']]
    assert names('specprune@budget=fixed') == [['keep']]


@pytest.mark.parametrize('rule', sorted(RULES))
def test_every_range_lies_within_what_the_nodes_allow(rule):
    for dimension in RULES[rule]:
        setting = NODE[dimension.name]
        if not dimension.choices:
            low, high = setting.range
            assert low <= dimension.low < dimension.high <= high


def test_what_is_searched_is_of_rules_and_pruning_methods_that_there_are():
    assert set(RULES) <= set(rules.RULES)
    assert set(PRUNING) <= set(METHODS)
    for method, wanted in PRUNING.items():
        assert set(wanted) <= set(parameters_of(method))


@pytest.mark.parametrize('text', ['hold', 'ridge@rule=planar', 'sp_vla', 'specprune', 'random'])
def test_the_search_begins_from_the_method_as_it_is(text):
    space = spaces(text, MODEL)[0]
    again = space.with_values(space.start, text)
    assert again.scheduler == find(text)[0].scheduler
    assert again.pruning == find(text)[0].pruning
    for dimension in space.dimensions:
        value = space.start[dimension.name]
        assert value in dimension.choices or dimension.low <= value <= dimension.high


def test_values_replace_those_of_the_method():
    space = spaces('hold+fastv', MODEL)[0]
    found = space.with_values({'tau': 0.1, 'keep': 0.5}, 'mine')
    assert (found.name, found.scheduler.tau) == ('mine', 0.1)
    assert dict(found.pruning_parameters) == {'keep': 0.5}


@pytest.mark.parametrize(
    ('text', 'ranges', 'said'),
    [
        ('none', (), "method 'none' has nothing to search"),
        ('hold,magic', (), "method 'magic' is unknown"),
        ('hold', ('keep=0.1:0.5',), '--range keep: no method here searches it'),
        ('hold', ('tau',), "--range is 'tau', expected name=low:high"),
        ('hold', ('tau=0.5:0.1',), 'range of tau is 0.5 to 0.1'),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(text, ranges, said):
    with pytest.raises(ValueError) as error:
        spaces(text, MODEL, ranges)
    assert said in str(error.value)


def test_a_range_of_the_command_line_replaces_the_usual_one():
    space = spaces('hold', MODEL, ['v_min=0.1:0.3'])[0]
    assert (space.dimensions[0].low, space.dimensions[0].high) == (0.1, 0.3)
