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

"""A run goes on only with what decided it so far."""

from dataclasses import replace

import pytest
import torch

from vla_accel_ros.training.state import STATE, StateError, read_state, write_state

CPU = torch.device('cpu')


def state(stage=0):
    return {'optimiser': {}, 'stage': stage, 'step': 2, 'stats': None, 'lines': 0}


def test_nothing_is_read_where_nothing_was_kept_and_else_what_was(small, tmp_path):
    assert read_state(tmp_path, small, None, CPU) is None
    write_state(tmp_path, state(), small, None)
    assert read_state(tmp_path, small, None, CPU).items() >= state().items()


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'batch': 8}, 'batch is 8, the run has 4'),
        ({'seed': 4}, 'seed is 4, the run has 3'),
        ({'spread': 2.0}, 'spread is 2.0, the run has 3.0'),
    ],
)
def test_another_recipe_is_refused_by_what_differs(small, tmp_path, change, said):
    write_state(tmp_path, state(), small, None)
    with pytest.raises(StateError, match=said):
        read_state(tmp_path, replace(small, **change), None, CPU)


def test_other_frames_are_refused_and_so_is_another_number_learnt_by_heart(small, tmp_path):
    write_state(tmp_path, state(), small, 10)
    wander = replace(small.data['wander'], seed=5000)
    with pytest.raises(StateError, match=r'data\.wander\.seed is 5000, the run has 0'):
        read_state(tmp_path, replace(small, data={**small.data, 'wander': wander}), 10, CPU)
    with pytest.raises(StateError, match='only is 20, the run has 10'):
        read_state(tmp_path, small, 20, CPU)


def test_stages_that_are_not_begun_may_be_others(small, tmp_path):
    first, second = small.stages
    later = replace(small, stages=(first, replace(second, rate=2e-3)), episodes=3)
    write_state(tmp_path, state(stage=0), small, None)
    assert read_state(tmp_path, later, None, CPU)
    write_state(tmp_path, state(stage=1), small, None)
    with pytest.raises(StateError, match=r'stages\[1\]\.rate is 0\.002, the run has 0\.001'):
        read_state(tmp_path, later, None, CPU)
    write_state(tmp_path, state(stage=2), small, None)
    more = replace(small, stages=(first, second, replace(second, name='more')))
    assert read_state(tmp_path, more, None, CPU)
    with pytest.raises(StateError, match='stages are 1, the run has 2'):
        read_state(tmp_path, replace(small, stages=(first,)), None, CPU)


def test_a_checked_stage_is_the_same_stage(small, tmp_path):
    write_state(tmp_path, state(), small, None)
    first, second = small.stages
    watched = replace(small, stages=(replace(first, evaluate=8), second))
    assert read_state(tmp_path, watched, None, CPU)


@pytest.mark.parametrize('content', [b'', b'mine', b'PK\x03\x04 half a file'])
def test_what_is_no_state_is_refused_by_name(small, tmp_path, content):
    (tmp_path / STATE).write_bytes(content)
    with pytest.raises(StateError, match=r'state\.pt cannot be read as the state of a run'):
        read_state(tmp_path, small, None, CPU)


def test_a_state_that_lacks_something_is_refused_by_what_it_lacks(small, tmp_path):
    torch.save({'optimiser': {}, 'stage': 0, 'step': 0}, tmp_path / STATE)
    with pytest.raises(StateError, match=r'state\.pt has no stats, lines'):
        read_state(tmp_path, small, None, CPU)
