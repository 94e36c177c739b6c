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

"""The tables hold what there is, and dashes where there is nothing."""

from dataclasses import replace

from episodes import call, episode

from vla_accel_ros.evaluation.metrics import summarise
from vla_accel_ros.evaluation.table import SCHEDULE, render, table


def first_word(text):
    return text.split()[0]


def test_a_row_a_method_and_a_column_a_kind():
    none = [
        episode('none', 1, True, [call(20)] * 4, 'lift red'),
        episode('none', 2, True, [call(20)] * 4, 'stack red'),
    ]
    fast = [
        episode('fast', 1, True, [call(5), None, None, None], 'lift red'),
        episode('fast', 2, False, [call(5), None, None, None], 'stack red'),
    ]
    text = render(
        [summarise('none', none, None, first_word), summarise('fast', fast, none, first_word)]
    )
    parts = text.split('\n\n')
    assert all(part.split()[0] == 'method' for part in parts)
    assert '2/2 = 100.0%' in parts[0] and '-50.0 (' in parts[0]
    assert '8.00x less' in text
    kinds = next(part for part in parts if 'lift' in part)
    assert kinds.splitlines()[0].split() == ['method', 'lift', 'stack']
    assert '0/1 = 0%' in kinds
    assert 'deliberative 25%, intuitive 75%' in parts[-1]
    assert max(map(len, text.splitlines())) <= 100


def test_steps_of_a_flow_are_shown_where_something_denoises():
    plain = summarise('none', [episode('none', 1, True, [call(20)] * 4)])
    flow = summarise('flow', [episode('flow', 1, True, [call(20, flow_steps=10)] * 4)])
    assert 'flow steps' not in render([plain])
    assert ' 10.0 ' in render([plain, flow]) and 'flow steps' in render([plain, flow])


def test_success_at_the_end_is_shown_where_an_episode_went_on_and_lost_it():
    one = episode('none', 1, True, [call(20)] * 4)
    kept, lost = (summarise('none', [replace(one, at_end=at_end)]) for at_end in (True, False))
    for text in (render([kept]), table(SCHEDULE, [kept])):
        assert 'at the end' not in text
    for text in (render([kept, lost]), table(SCHEDULE, [kept, lost])):
        assert 'at the end' in text and ' 0/1 ' in text


def test_what_is_unknown_is_a_dash():
    text = render([summarise('idle', [episode('idle', 1, False, [None] * 3)])])
    assert text.count(' -') >= 6
    assert 'None' not in text and 'nan' not in text
