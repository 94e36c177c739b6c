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

"""Suites of LIBERO and LIBERO-PRO by name, their words and their states."""

import numpy as np
import pytest

pytest.importorskip('libero', reason='LIBERO is not installed: make libero')

from vla_accel_ros.environments import libero_protocol as protocol
from vla_accel_ros.environments.libero_tasks import LiberoTask, initial_states, tasks_of


@pytest.mark.parametrize('suite', sorted(protocol.HORIZONS))
def test_each_suite_has_its_tasks_and_each_its_states(suite):
    tasks = tasks_of(suite)
    assert len(tasks) == (90 if suite == 'libero_90' else 10)
    states = initial_states(tasks[-1])
    assert states.shape[0] == 50 and states.dtype == np.float64


def test_words_are_those_of_the_name_as_in_the_original_evaluation():
    assert tasks_of('libero_goal')[1].language == 'put the bowl on the stove'
    assert tasks_of('libero_spatial')[0].language.startswith('pick up the black bowl between')


def test_a_variant_that_says_something_else_is_told_in_its_own_words():
    plain = [task.language for task in tasks_of('libero_object')]
    swapped = [task.language for task in tasks_of('libero_object_swap')]
    other = [task.language for task in tasks_of('libero_object_task')]
    said = [task.language for task in tasks_of('libero_object_lan')]
    assert swapped == plain
    assert all(mine != theirs for mine, theirs in zip(other, plain, strict=True))
    assert said[0] == 'grab alphabet soup and put it into basket'


@pytest.mark.parametrize('shift', ['x0.1', 'x0.5', 'y0.3'])
def test_each_distance_that_things_are_moved_by_is_a_variant(shift):
    plain = tasks_of('libero_object')
    moved = tasks_of(f'libero_object_temp_{shift}')
    assert [task.language for task in moved] == [task.language for task in plain]
    assert {task.problem.parent.name for task in moved} == {f'libero_object_temp_{shift}'}
    assert initial_states(moved[0]).shape[0] == 50


def test_a_distance_without_files_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no suite 'libero_object_temp_x0.9'; .*temp_x0.5"):
        tasks_of('libero_object_temp_x0.9')


@pytest.mark.parametrize(
    ('suite', 'said'),
    [
        (
            'libero_goal_dance',
            r"no suite 'libero_goal_dance'; variants of libero_goal here: .*swap",
        ),
        ('libero_goal_env', r"a name without files in this LIBERO: '.*bddl' is missing"),
    ],
)
def test_a_variant_that_is_not_there_is_refused(suite, said):
    with pytest.raises(ValueError, match=said):
        tasks_of(suite)


def test_missing_states_are_named_with_their_folder(monkeypatch, tmp_path):
    task = tasks_of('libero_object')[0]
    gone = LiberoTask('libero_object_with_trigger', task.index, task.language, task.problem)
    with pytest.raises(ValueError, match=r'initial states of .* are missing in /.*with_trigger'):
        initial_states(gone)
