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

"""A short run of what `make fuzz` runs for long, and that its judges can say no."""

import pytest

from benchmarks.fuzz import guard, joints
from benchmarks.fuzz.files import fuzz
from benchmarks.fuzz.joint_judge import JointJudge
from benchmarks.fuzz.judge import Judge
from benchmarks.fuzz.readers import Reader, readers
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.joint_limits import JointSettings
from vla_accel_ros.safety.limits import Limits

MESSAGES, FILES = 3000, 15
NAMES = [reader.name for reader in readers()]


def test_no_message_makes_the_guard_unsafe_and_good_ones_are_taken():
    unsafe, reasons = guard.run(0, MESSAGES)
    assert unsafe == []
    assert reasons['accepted'] > MESSAGES / 4
    assert {'nan_or_inf', 'stale', 'out_of_order', 'translation_step', 'workspace'} <= set(reasons)


@pytest.mark.parametrize(
    ('limits', 'said'),
    [
        ({'linear_speed': 5.0}, 'too fast'),
        ({'max_future_s': 5.0}, 's old'),
        ({'max_step_s': 2.0}, 'its step'),
    ],
)
def test_a_guard_with_a_wider_limit_is_found_out(monkeypatch, limits, said):
    monkeypatch.setattr(guard, 'Limits', lambda **box: Limits(**{**box, **limits}))
    assert any(said in each for each in guard.run(0, MESSAGES)[0])


def test_the_judge_sees_motion_that_nobody_enabled_or_that_never_ends():
    judge = Judge()
    judge.twist((0.1, 0, 0, 0, 0, 0), None, 1)
    judge.enabled(0)
    judge.message([0.001] * 6 + [0.0], 1, 0.05, 1, 1)
    judge.twist((0.1, 0, 0, 0, 0, 0), None, 10)
    judge.twist((float('nan'), 0, 0, 0, 0, 0), 0.5, 10**9)
    assert [each.split(':')[1] for each in judge.unsafe] == [
        ' not enabled',
        ' not finite',
        ' too fast',
        ' 0.949999999 s after the last action',
        ' gripper',
    ]


def test_no_message_of_joints_makes_the_guard_unsafe_and_good_ones_are_taken():
    reasons = set()
    for seed in range(len(joints.ROBOTS)):
        judge, found = joints.play(seed, 400)
        assert judge.unsafe == []
        assert min(judge.accepted, judge.moved) > 100
        reasons |= set(found)
    assert {'nan_or_inf', 'stale', 'jump', 'joint_position', 'joint_velocity'} <= reasons


@pytest.mark.parametrize(
    ('config', 'said'),
    [
        (GuardConfig(joints=JointSettings(largest_step=(1.0,))), 'is far from'),
        (GuardConfig(joints=JointSettings(acceleration=(500.0,))), 'rad/s in'),
        (GuardConfig(joints=JointSettings(max_age_s=1.0)), 'without knowing where'),
    ],
)
def test_a_guard_of_joints_with_a_wider_limit_is_found_out(monkeypatch, config, said):
    monkeypatch.setattr(joints, 'GuardConfig', lambda: config)
    assert any(said in each for each in joints.play(2, 500)[0].unsafe)


def test_the_judge_of_joints_sees_motion_that_nobody_enabled_and_a_hold_at_the_last_command():
    judge = JointJudge([0], ['a'], True, 2)
    judge.state(['a'], [0.5], 0.0, 0)
    judge.command([0.5], [None], True, 1)
    judge.enabled(0)
    judge.message([3.0, 0.0], 1, 0.05, 1, 1)
    judge.command([0.6], [0.5], True, 2)
    judge.command([0.6], [None], False, 3)
    assert [each.split(':')[1].split(' [')[0] for each in judge.unsafe] == [
        ' not enabled',
        ' 3.0 is far from 0.5',
        ' 3.0 is out of the range, from 0.5',
        ' gripper',
        ' 0.09999999999999998 in 1e-09 s',
        ' held at',
    ]


def test_the_judge_of_joints_sees_motion_further_out_of_the_range_than_it_began():
    judge = JointJudge([0], ['a'], True, 2)
    judge.state(['a'], [2.9], 0.0, 0)
    judge.enabled(0)
    judge.message([2.85, 0.0], 1, 0.05, 1, 1)
    judge.command([2.9], [0.0], True, 2)
    assert judge.unsafe == []
    judge.command([2.91], [None], True, 10_000_002)
    assert [each.split(' out of')[1] for each in judge.unsafe] == [' the range: [2.91]']


@pytest.mark.parametrize('name', NAMES)
def test_a_changed_file_is_read_or_refused_in_one_line(name):
    reader = next(each for each in readers() if each.name == name)
    found = fuzz(reader, 1, FILES)
    assert {place: what for place, (what, _) in found.bad.items()} == {}
    assert found.runs == FILES


def test_what_a_reader_may_not_raise_is_found():
    def read(folder):
        return int((folder / 'a').read_text(errors='replace'))

    reader = Reader('numbers', 'a', lambda at: (at / 'a').write_text('12'), read, KeyError)
    assert 'ValueError' in str(fuzz(reader, 1, FILES).bad)
