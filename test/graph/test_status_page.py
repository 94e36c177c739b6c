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


"""The page of `vla-accel status`: what it shows, and when the graph is as it should be."""

import json
import re

import pytest

from vla_accel_ros.graph.status_page import NEEDED, Report, facts, page, problems, rates

NOW = 100.0


def report(name, state='active', level=0, message=None, age=0.5, **values):
    return Report(
        name, level, state if message is None else message, {'state': state, **values}, NOW - age
    )


def graph(namespace=''):
    return [report(f'{namespace}/{node}') for node in NEEDED]


def test_a_graph_whose_nodes_are_active_has_no_problems():
    assert problems(graph(), NOW) == []
    assert problems(graph('/left') + graph('/right'), NOW) == []


def test_arms_that_one_inference_node_serves_need_no_other_one():
    server = report('/inference', arms='left, right')
    arms = [each for side in ('/left', '/right') for each in graph(side)]
    shared = [server, *(each for each in arms if each.node != 'inference')]
    assert problems(shared, NOW) == []
    assert problems([each for each in shared if '/right' not in each.name], NOW, '/left') == []
    assert problems(shared[:-1], NOW) == ['/right/arm_command: says nothing']
    assert len(problems([server], NOW)) == 2 * (len(NEEDED) - 1)
    assert problems(shared[1:], NOW)[0] == '/left/inference: says nothing'


@pytest.mark.parametrize(
    ('changed', 'problem'),
    [
        (None, '/camera: says nothing'),
        (report('/camera', 'inactive'), '/camera: inactive, expected active'),
        (
            report('/camera', 'unconfigured', 2, 'configure_failed: no'),
            'unconfigured, .*configure_fa',
        ),
        (report('/camera', level=2, message='no_frame: nothing'), '/camera: no_frame: nothing'),
        (report('/camera', age=9.0), '/camera: silent for 9 s'),
        (report('/camera', 'finalized', 1, 'ended: so'), 'finalized, expected active'),
    ],
)
def test_each_node_that_is_not_as_it_should_be_is_named(changed, problem):
    reports = graph()[1:] + ([changed] if changed else [])
    found = problems(reports, NOW)
    assert len(found) == 1
    assert re.search(problem, found[0])
    assert found[0] in ' '.join(facts(reports, '0', NOW)['problems'])


def test_a_warning_is_shown_and_is_no_problem():
    reports = [*graph()[1:], report('/camera', level=1, message='dropped: one; late: 3 ms')]
    assert problems(reports, NOW) == []
    text = page(reports, '0', NOW)
    assert 'WARN' in text and '    dropped: one\n    late: 3 ms' in text


def test_an_error_of_a_node_that_is_not_needed_counts():
    reports = [*graph(), report('/sim_arm', level=2, message='broken')]
    assert problems(reports, NOW) == ['/sim_arm: broken']


def test_a_namespace_that_was_asked_for_must_have_its_nodes():
    assert len(problems([], NOW, '/left')) == len(NEEDED)


def test_the_page_says_how_to_enable_and_how_to_stop():
    off = [*graph('/left')[:3], report('/left/arm_command', arm='disabled: not_enabled')]
    assert (
        'enable with: ros2 service call /left/arm_command/enable std_srvs/srv/SetBool '
        '"{data: true}"'
    ) in page(off, '5', NOW)
    on = [*graph()[:3], report('/arm_command', arm='enabled: enabled')]
    assert 'stop with: ros2 service call /arm_command/stop' in page(on, '5', NOW)


def test_the_lines_are_no_longer_than_a_terminal_is_wide():
    reports = [*graph()[1:], report('/camera', level=2, message='no_frame: ' + 'nothing ' * 30)]
    assert max(map(len, page(reports, '0', NOW).splitlines())) <= 100


def test_rates_are_of_counters_that_counted():
    before = report('/camera', age=2.0, **{'count.frames': '10', 'age_ms': '3.5', 'total': '7'})
    values = {'count.frames': '50', 'age_ms': '4.5', 'total': '7', 'count.new': '2'}
    assert rates(before, values, NOW) == {'frames': 20.0, 'new': 1.0}
    # Its process was started again.
    assert rates(before, {'count.frames': '3'}, NOW) == {}


def test_the_facts_can_be_written_as_json():
    whole = facts(graph(), '0', NOW)
    assert json.loads(json.dumps(whole)) == whole
    assert whole['ok'] and whole['nodes'][0]['name'] == '/camera'
