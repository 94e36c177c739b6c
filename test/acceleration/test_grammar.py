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

"""What the little language of `--methods` means, and what it refuses."""

import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.acceleration.components import COMPONENTS
from vla_accel_ros.acceleration.grammar import names_text, split
from vla_accel_ros.acceleration.settings import OPTIONS, pruning_defaults, settings_of
from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.pruning.registry import METHODS


def one(text):
    (method,) = find(text)
    return method


def test_none_is_the_unaccelerated_policy():
    none = one('none')
    assert none.scheduler.rule == 'never'
    assert (none.pruning, none.pruning_parameters, none.decoder) == ('none', (), 'greedy')
    assert not none.scheduler.replan_on_fine
    assert none.scheduler.prefetch_rows == 0


@pytest.mark.parametrize(
    ('text', 'rule', 'predictor', 'pruning', 'decoder'),
    [
        ('ridge', 'velocity', 'ridge', 'none', 'greedy'),
        ('hold', 'velocity', 'hold', 'none', 'greedy'),
        ('sp_vla', 'velocity', 'ridge', 'sp_vla', 'greedy'),
        ('sp_vla_scheduling', 'velocity', 'ridge', 'none', 'greedy'),
        ('sp_vla_pruning', 'never', 'ridge', 'sp_vla', 'greedy'),
        ('sp_vla+jacobi', 'velocity', 'ridge', 'sp_vla', 'jacobi'),
        ('hold + specprune + verify', 'velocity', 'hold', 'specprune', 'verify'),
        (
            'none@rule=planar,predictor=hold,pruning=random,decoder=relaxed',
            'planar',
            'hold',
            'random',
            'relaxed',
        ),
    ],
)
def test_parts_are_put_together(text, rule, predictor, pruning, decoder):
    method = one(text)
    assert (method.scheduler.rule, method.scheduler.predictor) == (rule, predictor)
    assert (method.pruning, method.decoder) == (pruning, decoder)
    assert method.name == text


def test_every_pruning_method_and_decoder_has_a_name():
    assert set(METHODS) - {'none', 'sp_vla'} <= set(COMPONENTS)
    assert set(DECODERS) <= set(COMPONENTS)
    for name, part in COMPONENTS.items():
        assert one(name).summary == part.summary
        assert part.summary in names_text()


def test_a_setting_goes_with_the_method_before_it():
    assert split('none@keep=0.5,layer=2, hold, random@keep=1') == [
        'none@keep=0.5,layer=2',
        'hold',
        'random@keep=1',
    ]
    assert [m.name for m in find('none@keep=0.5,layer=2,hold')] == [
        'none@keep=0.5,layer=2',
        'hold',
    ]


def test_settings_have_the_types_of_the_parameters():
    method = one(
        'hold+specprune@tau=0,gripper_guard=false,max_bridge_steps=3,history_layers=1/3,draft=none'
    )
    assert method.scheduler.tau == 0.0
    assert method.scheduler.gripper_guard is False
    assert method.scheduler.max_bridge_steps == 3
    assert dict(method.pruning_parameters)['history_layers'] == (1, 3)
    assert method.draft == 'none'


@pytest.mark.parametrize(
    ('text', 'pruning', 'parameters'),
    [
        # Without a method of its own the plain baseline prunes.
        ('none@keep=0.25', 'fastv', {'keep': 0.25}),
        ('hold+random@keep=0.5', 'random', {'keep': 0.5}),
        # Who has a budget of his own is given the fixed one.
        ('sp_vla@keep=0.5', 'sp_vla', {'keep': 0.5, 'budget': 'fixed'}),
        ('specprune@keep=0.5,budget=adaptive', 'specprune', {'keep': 0.5, 'budget': 'adaptive'}),
        ('lossless@keep=0.9', 'fastv', {'keep': 0.9}),
    ],
)
def test_a_keep_ratio_wants_a_method_that_keeps_it(text, pruning, parameters):
    method = one(text)
    assert method.pruning == pruning
    assert dict(method.pruning_parameters) == parameters


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('', 'no method is given'),
        (',', 'no method is given'),
        ('magic', "method 'magic' is unknown, expected some of: none, ridge"),
        ('none,none', "name 'none' twice"),
        ('sp_vla+fastv', "sp_vla and fastv both set 'pruning'"),
        ('hold+ridge', "hold and ridge both set 'rule'"),
        ('tau=1,none', 'before any method'),
        ('none@tau', "'tau' is no setting"),
        ('none@tau=2', 'tau is 2.0, expected a number from 0.0 to 1.0'),
        ('none@tau=much', "tau is 'much', expected a number from 0.0 to 1.0"),
        ('none@gripper_guard=1', "gripper_guard is '1', expected true or false"),
        ('none@tau=0.1,tau=0.2', "'tau' is set twice"),
        ('none@speed=3', "parameter 'speed' is unknown, expected of the scheduler: rule, v_min"),
        ('none@policy_step=0.1', "parameter 'policy_step' is unknown"),
        ('none@k_local=3', 'of the pruning method none'),
        ('none@keep=0', 'keep is 0.0, expected a number from 0.001 to 1.0'),
        ('none@decoder=magic', "decoder is 'magic', expected one of 'greedy'"),
        ('none@pruning=magic', "pruning is 'magic', expected one of 'dart', 'fastv'"),
        ('none@draft=magic', "draft is 'magic', expected one of 'given'"),
        ('relaxed@relaxed_bins=-1', 'relaxed_bins is -1, expected a whole number'),
        ('none@fine_linear=-1', 'fine_linear is -1.0'),
        ('fast+jacobi', 'the preset fast says everything itself'),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(text, said):
    with pytest.raises(ValueError, match=said):
        find(text)


def test_every_key_is_in_the_help_as_the_method_none_has_it():
    text = names_text()
    none = settings_of(one('none'))
    for name, each in OPTIONS.items():
        value = str(none[name]).lower() if isinstance(none[name], bool) else none[name]
        assert f'  {name}={value} ' in text and each.why in text


def test_no_parameter_has_two_meanings():
    for pruning in METHODS:
        assert not set(pruning_defaults(pruning)) & set(OPTIONS)
