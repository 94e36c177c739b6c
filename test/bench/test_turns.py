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

from contextlib import ExitStack
import os
from pathlib import Path

from bench_subject import ENGINES, ready
import numpy as np
import pytest

from vla_accel_ros.bench.cases import cases, on_engine
from vla_accel_ros.bench.rounds import measure
from vla_accel_ros.bench.turns import Apart, Here


def test_engines_in_processes_apart_take_turns_on_the_same_frames():
    groups = cases('none,fastv@keep=0.5', decoders='greedy,verify')
    with ExitStack() as stack:
        turns = [stack.enter_context(Apart(ready, name, 1)) for name in ENGINES]
        facts = [one.facts for one in turns]
        teams = [(one, on_engine(groups, name)) for one, name in zip(turns, ENGINES, strict=True)]
        samples, complete = measure(teams, 2, warm_up=1)
        rates, memory = turns[0].rates(), [one.memory() for one in turns]
        # A case that does not fit the model is told with the process's own words.
        with pytest.raises(ValueError, match='layer is 9'):
            turns[0].prepare(cases('fastv@layer=9'))
        turns[1].end()
        assert not Path(f'/proc/{facts[1].process}').exists() and turns[0].memory()
    assert complete and rates.copy > 0 and rates.launch > 0
    # Python and torch alone take as much.
    assert all(taken > 50 * 2**20 for taken in memory)
    assert len({os.getpid(), *(one.process for one in facts)}) == 3
    assert [(one.engine, one.precision, one.exact) for one in facts] == [
        ('eager', 'float32', True),
        ('halved', 'float16', False),
    ]
    assert {len(of_case) for of_case in samples.values()} == {2}
    by_name = {(case.engine, case.name): of_case for case, of_case in samples.items()}
    for (engine, name), mine in by_name.items():
        assert mine[0].ms['total'] > 0
        for one, other in zip(mine, by_name['eager', name], strict=True):
            np.testing.assert_array_equal(one.tokens, other.tokens)
        assert engine in ENGINES


def test_no_rates_are_told_that_were_not_measured(subject):
    turns = Here(subject)
    turns.pause(measure=False)
    with pytest.raises(ValueError, match='no rate was measured'):
        turns.rates()
    turns.pause(measure=True)
    assert turns.rates().matrix > 0
