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

import json

from made_up import MadeUpPlan, never, point, space
import pytest

from vla_accel_ros.tuning.confirm import confirm, verdict
from vla_accel_ros.tuning.outcome import Outcome
from vla_accel_ros.tuning.picture import draw
from vla_accel_ros.tuning.points import Point
from vla_accel_ros.tuning.results import comments, render, to_dict
from vla_accel_ros.tuning.search import Found

BASELINE = {'costs': [100.0] * 4, 'per': [1] * 4, 'load': 0.5, 'slower': 1.0}


def outcome(points, **others):
    names = tuple(dict.fromkeys(p.space for p in points))
    return Outcome(
        MadeUpPlan(), Found(BASELINE, points, 0), ('fastest-within', 3.0), names, **others
    )


def at(v_min, name):
    method = space().with_values({'v_min': v_min}, name)
    run = MadeUpPlan().build(None, never).measure(method, never)
    return Point(method, 'hold', {'v_min': v_min}, run.score())


def confirmed(points):
    found = outcome(points)
    found.confirmed = confirm(
        MadeUpPlan().held_out(), found.to_confirm(6), 3.0, 1, lambda done: None, never
    )
    return found


@pytest.mark.parametrize(
    ('loss', 'interval', 'wanted'),
    [
        (0.0, (-2, 2.9), 'confirmed'),
        (0.0, (-9, 9), 'open'),
        (0.0, None, 'open'),
        (3.1, (-9, 9), 'fell'),
        (float('nan'), None, 'fell'),
    ],
)
def test_verdicts(loss, interval, wanted):
    assert verdict(loss, interval, 3.0) == wanted


def test_points_that_cost_more_and_win_nothing_are_left_out():
    assert outcome([point('a', 0, 120)]).front == []
    assert [p.name for p in outcome([point('a', -1, 120)]).front] == ['a']


def test_held_out_episodes_refute_and_do_not_choose():
    # On held-out numbers the edge is at 0.22: the fastest falls, the next one stands, although
    # the search saw nothing that the fastest one loses.
    found = confirmed([at(0.2, 'fast'), at(0.215, 'next'), at(0.3, 'slowest')])
    assert [(each.name, each.verdict) for each in found.confirmed] == [
        ('fast', 'fell'),
        ('next', 'confirmed'),
        ('slowest', 'confirmed'),
    ]
    assert found.chosen.name == 'next'


def test_where_all_fall_none_is_chosen():
    assert confirmed([at(0.2, 'fast'), at(0.205, 'other')]).chosen is None


def test_a_point_beyond_those_that_were_confirmed_is_not_chosen():
    found = outcome([at(0.2, 'fast'), at(0.3, 'slow')])
    found.confirmed = confirm(
        MadeUpPlan().held_out(), found.to_confirm(1), 3.0, 1, lambda done: None, never
    )
    assert found.chosen is None


def test_unconfirmed_points_are_said_to_flatter():
    found = outcome([point('a', 0, 50)])
    assert found.chosen.name == 'a'
    assert 'flatter' in ' '.join(found.notes())


def test_the_best_of_each_method_is_confirmed_too():
    found = outcome([point('a', 0, 50), point('b', 0, 60, of='ridge')])
    assert [p.name for p in found.to_confirm(6)] == ['a', 'b']
    assert [p.name for p in found.to_confirm(1)] == ['a']


def test_the_same_values_are_confirmed_once():
    found = outcome([at(0.3, 'first'), at(0.3, 'again')])
    assert [p.name for p in found.to_confirm(6)] == ['first']


def test_a_long_name_leaves_room_for_the_points(tmp_path, recwarn):
    name = 'hold@' + ','.join(f'parameter_{number}=0.123' for number in range(9))
    draw(to_dict(outcome([point(f'{name}#3', 0, 50)])), tmp_path / 'pareto.png')
    assert not recwarn.list


def test_results_table_and_picture_say_the_same(tmp_path):
    found = confirmed([at(0.195, 'fast'), at(0.215, 'next'), at(0.05, 'slow')])
    results = json.loads(json.dumps(to_dict(found)))
    assert results['chosen'] == 'next' and results['complete']
    assert [each['name'] for each in results['trials']] == ['fast', 'next', 'slow']
    assert results['trials'][2]['stopped']
    text = render(found)
    assert 'next' in text and 'confirmed' in text and 'fell' in text
    head = comments(found, found.chosen)
    assert 'Held out, other numbers' in ' '.join(head)
    draw(results, tmp_path / 'pareto.png')
    assert (tmp_path / 'pareto.png').read_bytes().startswith(b'\x89PNG')


def test_an_empty_front_is_drawn_and_said(tmp_path):
    found = outcome([point('a', 50, 10, stopped=True)])
    assert found.chosen is None
    assert 'no setting is admitted' in render(found)
    draw(to_dict(found), tmp_path / 'pareto.png')
