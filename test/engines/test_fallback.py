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

"""What an engine cannot run, the next one runs, and the reason is told."""

from dataclasses import dataclass

import pytest
import torch
from toy_engine import Changing, failing

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.fallback import Fallback
from vla_accel_ros.engines.interface import EngineError, call


@dataclass(frozen=True)
class Double:
    name: str = 'double'
    inputs = ('x',)
    outputs = ('x',)

    def run(self, given, room):
        return {'x': 2 * given['x']}


def refused(program, bucket):
    raise EngineError('bucket of 3 rows was not built\n for it')


def test_what_cannot_be_made_ready_runs_on_the_next_engine():
    told = []
    engine = Fallback(Changing(refuse=refused), EAGER, told.append)
    for _ in range(2):
        assert call(engine, Double(), {'x': torch.ones(3)})['x'].tolist() == [2, 2, 2]
    assert told == ['double runs on eager: bucket of 3 rows was not built for it']
    assert engine.reasons == {'double': 'bucket of 3 rows was not built for it'}


def test_what_fails_in_a_run_runs_on_the_next_engine_and_is_not_tried_again():
    tried = []

    def change(name, done):
        tried.append(name)
        raise EngineError('the provider does not load')

    engine = Fallback(Changing(change), EAGER)
    for _ in range(2):
        assert call(engine, Double(), {'x': torch.ones(2)})['x'].tolist() == [2, 2]
    assert tried == ['double'] and engine.reasons == {'double': 'the provider does not load'}


def test_other_programs_and_shapes_stay_on_the_engine():
    def refuse(program, bucket):
        if bucket == (('x', (9,)),):
            raise EngineError('9 rows are out of range, expected 1 to 8')

    first = Changing(failing('other', 'no'), refuse)
    engine = Fallback(first, EAGER)
    for rows in (9, 8):
        assert call(engine, Double(), {'x': torch.ones(rows)})['x'].sum() == 2 * rows
    call(engine, Double('other'), {'x': torch.ones(1)})
    assert first.ran == ['double']
    assert engine.reasons == {'double': '9 rows are out of range, expected 1 to 8', 'other': 'no'}


class Leaving(Changing):
    """Leaves everything to the programs themselves."""

    def ready(self, program, bucket):
        return program.run


def test_what_an_engine_leaves_to_the_program_is_told_where_it_costs_something():
    engine = Fallback(Leaving(), EAGER)
    for name in ('double', 'velocity', 'velocity'):
        assert call(engine, Double(name), {'x': torch.ones(2)})['x'].tolist() == [2, 2]
    assert engine.left == {'velocity': 'mine does not take it'} and engine.reasons == {}


def test_a_defect_is_no_reason_to_fall_back():
    def change(name, done):
        raise KeyError('x')

    with pytest.raises(KeyError):
        call(Fallback(Changing(change), EAGER), Double(), {'x': torch.ones(1)})


def test_it_says_what_the_first_one_is():
    first = Changing(name='warp')
    first.precision, first.exact = 'bfloat16', False
    engine = Fallback(first, EAGER)
    assert (engine.name, engine.precision, engine.exact) == ('warp', 'bfloat16', False)


def test_an_engine_in_front_of_itself_leaves_nothing():
    engine = Fallback(EAGER, EAGER)
    call(engine, Double('span'), {'x': torch.ones(3)})
    assert engine.left == {}
