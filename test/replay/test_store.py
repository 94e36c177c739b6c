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

"""Finished episodes on disk."""

import numpy as np
import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.evaluation.records import Call, StepRecord
from vla_accel_ros.replay.store import ResumeError, Store
from vla_accel_ros.replay.trace import ReplayedEpisode, Trace

IDENTITY = {'bag': 'sha256 abc', 'methods': {'none': {'tau': 0.5}}, 'latency': 'none'}


def episode(number):
    kept = np.array([1, 5])
    call = Call(12.5, 0.0, 2, kept, 0.4, 'fixed', 3, 1, 1e9, 77, 0)
    records = [
        StepRecord(77, 'deliberative', 'first', 0.1, 0.2, 0, np.arange(7.0), 'vla', 77, call),
        StepRecord(78, 'waiting', 'in_flight', 0.1, 0.2, 0, discarded='stale_answer'),
    ]
    traces = {
        'none': Trace.of(records, [1.0, np.nan], END_EFFECTOR),
        'sp_vla@tau=0.3': Trace.of(records, [2.0, 3.0], END_EFFECTOR),
    }
    return ReplayedEpisode(
        number,
        'pick up the red cube',
        'paused',
        np.array([77, 78]),
        np.full((2, 7), np.nan),
        traces,
        9,
        3,
        {'bad_frame': (2, 'too dark')},
    )


def test_an_episode_comes_back_as_it_was(tmp_path):
    store = Store(tmp_path, IDENTITY)
    for number in range(2):
        store.add(episode(number))
    back = list(Store(tmp_path, IDENTITY, resume=True))
    assert [e.number for e in back] == [0, 1]
    one, other = episode(1), back[1]
    assert (other.instruction, other.reason, other.observations, other.frames, other.faults) == (
        one.instruction,
        one.reason,
        one.observations,
        one.frames,
        one.faults,
    )
    assert list(other.traces) == list(one.traces)
    for name, trace in one.traces.items():
        np.testing.assert_array_equal(other.traces[name].actions, trace.actions)
        for columns, expected in (
            (other.traces[name].words, trace.words),
            (other.traces[name].floats, trace.floats),
        ):
            assert columns.keys() == expected.keys()
            for column in expected:
                np.testing.assert_array_equal(columns[column], expected[column])
    assert other.traces['none'].called.tolist() == [True, False]


def test_a_half_written_episode_does_not_count(tmp_path):
    Store(tmp_path, IDENTITY).add(episode(0))
    (tmp_path / 'episodes' / 'tmp123').write_bytes(b'half')
    assert Store(tmp_path, IDENTITY, resume=True).count == 1


def test_another_run_is_never_overwritten_or_gone_on_with(tmp_path):
    Store(tmp_path, IDENTITY)
    with pytest.raises(ResumeError, match='holds a run already'):
        Store(tmp_path, IDENTITY)
    with pytest.raises(ResumeError, match=r'differs: bag was "sha256 abc", is "other"'):
        Store(tmp_path, IDENTITY | {'bag': 'other'}, resume=True)


def test_a_setting_that_differs_is_named_by_itself(tmp_path):
    Store(tmp_path, IDENTITY)
    other = IDENTITY | {'methods': {'none': {'tau': 0.6}, 'fast': {'tau': 0.5}}}
    with pytest.raises(
        ResumeError,
        match=(r'differs: methods\.fast is new; methods\.none\.tau was 0\.5, is 0\.6$'),
    ):
        Store(tmp_path, other, resume=True)


def test_of_many_differences_the_first_are_named_and_the_rest_counted(tmp_path):
    Store(tmp_path, IDENTITY)
    other = IDENTITY | {'methods': {'none': {f'v{k}': k for k in range(9)}}}
    with pytest.raises(ResumeError, match=r'; 6 more$'):
        Store(tmp_path, other, resume=True)


def test_where_there_is_no_run_none_can_be_gone_on_with(tmp_path):
    with pytest.raises(ResumeError, match='holds no run to resume'):
        Store(tmp_path, IDENTITY, resume=True)


@pytest.mark.parametrize(
    'damage',
    [
        lambda data: b'',
        lambda data: data[:200],
        lambda data: bytes(len(data)),
        lambda data: data[:300] + b'\xff' * 40 + data[340:],
    ],
)
def test_an_episode_that_is_damaged_is_named(tmp_path, damage):
    store = Store(tmp_path, IDENTITY)
    store.add(episode(0))
    file = tmp_path / 'episodes' / '000000.npz'
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ResumeError, match=r'000000\.npz is no episode of a replay: remove it'):
        list(Store(tmp_path, IDENTITY, resume=True))


@pytest.mark.parametrize('text', ['', '[]', '{', '\0\0'])
def test_a_run_that_is_not_described_is_not_gone_on_with(tmp_path, text):
    (tmp_path / 'run.json').write_text(text)
    with pytest.raises(ResumeError, match=r'run\.json does not describe a replay'):
        Store(tmp_path, IDENTITY, resume=True)
