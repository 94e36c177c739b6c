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


"""`vla-accel status` and the last line of launch, over real DDS."""

import json
import os
import subprocess
import sys

from graph import Graph
import pytest

from vla_accel_ros.graph.ready import waiting_for
from vla_accel_ros.graph.status_page import Report
from vla_accel_ros.nodes.arm_command import ArmCommand


def begin(*words, **variables):
    return subprocess.Popen(
        [sys.executable, '-m', *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )


def end(graph: Graph, running):
    """Spin the graph until a process that looks at it has ended."""
    graph.until(lambda: running.poll() is not None, 'it has ended')
    return running.returncode, *running.communicate()


def test_the_nodes_that_run_are_shown_and_those_that_lack_are_named(graph):
    graph.add(ArmCommand)
    domain = str(graph.context.get_domain_id())
    # Everything that looks at the graph looks at once, for each takes seconds.
    status = begin('vla_accel_ros.cli', 'status', '--json', '--domain', domain)
    elsewhere = begin('vla_accel_ros.cli', 'status', '--namespace', 'right', ROS_DOMAIN_ID=domain)
    ready = begin('vla_accel_ros.graph.ready', '--nodes', 'arm_command', ROS_DOMAIN_ID=domain)
    code, out, _ = end(graph, status)
    whole = json.loads(out)
    assert code == 1 and whole['domain'] == domain
    assert [each['name'] for each in whole['nodes']] == ['/arm_command']
    assert whole['nodes'][0]['state'] == 'active' and whole['nodes'][0]['level'] == 'OK'
    assert '/camera: says nothing' in whole['problems']
    code, out, _ = end(graph, elsewhere)
    assert code == 1
    assert f'ROS domain {domain}, namespace /right' in out
    code, out, _ = end(graph, ready)
    assert code == 0
    assert out.startswith(
        'all nodes are active; enable with: ros2 service call /arm_command/enable'
    )


@pytest.mark.parametrize(('words', 'domain'), [([], 'five'), (['--domain', '999'], '0')])
def test_a_domain_that_is_none_is_refused(words, domain):
    running = begin('vla_accel_ros.cli', 'status', *words, ROS_DOMAIN_ID=domain)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 2
    assert 'expected 0 to 232' in errors and errors.count('\n') == 1


def test_what_is_not_active_yet_is_named_with_its_reason():
    up = Report('/left/camera', 2, 'no_frame: nothing', {'state': 'active'}, 10.0)
    loading = Report('/left/inference', 1, 'loading: 30 %', {'state': 'unconfigured'}, 10.0)
    reports = {each.name: each for each in (up, loading)}
    assert waiting_for(reports, '/left', ['camera', 'inference', 'scheduler'], 10.5) == (
        '/left/inference: unconfigured, expected active (loading: 30 %); '
        '/left/scheduler: says nothing'
    )
    assert waiting_for(reports, '/left', ['camera'], 10.5) == ''
