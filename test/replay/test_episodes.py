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

"""Where episodes begin."""

import pytest

from vla_accel_ros.replay.episodes import NS, Splitter


def reasons(frames, **options):
    splitter = Splitter(**options)
    return [splitter.why(round(at * NS), text) for at, text in frames]


def test_an_episode_ends_with_its_instruction_a_pause_or_a_clock_that_jumps_back():
    frames = [
        (10, 'lift'),
        (10.05, 'lift'),
        (10.1, 'stack'),
        (12, 'stack'),
        (3, 'stack'),
        (3.9, 'stack'),
    ]
    assert reasons(frames) == ['first', '', 'instruction', 'paused', 'jumped_back', '']


def test_long_episodes_are_cut_and_each_part_counts_from_its_own_beginning():
    frames = [(k * 0.5, 'lift') for k in range(9)]
    assert reasons(frames, longest_s=1.5) == ['first', '', '', 'cut', '', '', 'cut', '', '']
    assert reasons(frames, longest_s=0.0) == ['first'] + [''] * 8


@pytest.mark.parametrize('options', [{'pause_s': 0.0}, {'longest_s': -1.0}])
def test_bounds_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match='expected above 0'):
        Splitter(**options)
