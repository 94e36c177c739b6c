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

"""Several arms in the demo: what is started, who does what, and what is told."""

import json

import pytest

from vla_accel_ros.graph.demo_arms import arms_summary, arms_table, parts, plans
from vla_accel_ros.graph.demo_report import DemoEpisode
from vla_accel_ros.graph.operator import Record
from vla_accel_ros.graph.processes import Deployment


def test_arms_have_instructions_and_tables_of_their_own():
    found = plans(3, 2, 10, ['red', 'green', 'blue', 'white'])
    assert [plan.name for plan in found] == ['arm1', 'arm2', 'arm3']
    assert [plan.instructions for plan in found] == [
        ('red', 'white'),
        ('green', 'red'),
        ('blue', 'green'),
    ]
    assert [plan.seed for plan in found] == [10, 12, 14]


def test_one_inference_node_serves_every_arms_own_nodes():
    shared, *arms = parts(Deployment(sim=True), ['left', 'right'])
    (inference,) = shared.processes
    assert inference.parameters['arms'] == ['left', 'right']
    words = inference.command(shared.deployment)
    assert 'arms:=["left", "right"]' in words and not any('__ns' in word for word in words)
    for name, part in zip(('left', 'right'), arms, strict=True):
        names = [process.name for process in part.processes]
        assert names == ['camera', 'scheduler', 'arm_command', 'sim_arm']
        for process in part.processes:
            assert f'__ns:=/{name}' in process.command(part.deployment)


def episode(success, track=((0, 0, 0), (0.03, 0.04, 0))):
    record = Record(
        decisions=[{'kind': 'deliberative', 'source': 'vla', 'latency_ms': '20.0'}],
        track=list(track),
    )
    return DemoEpisode(0, 7, 'pick up the red cube', record, seconds=2.0, success=success)


@pytest.mark.parametrize(
    ('other', 'wanted', 'ok'),
    [
        (episode(False), 1, True),
        (episode(False), 2, False),
        (episode(True, [(0, 0, 0)] * 2), 0, False),
    ],
)
def test_it_fails_where_an_arm_did_not_move_or_too_few_were_done(other, wanted, ok):
    facts = arms_summary({'arm1': [episode(True)], 'arm2': [other]}, 'some', wanted, 0.01)
    assert facts['ok'] is ok
    assert json.loads(json.dumps(facts)) == facts
    lines = arms_table(facts).splitlines()
    assert [line.split()[0] for line in lines if line.startswith('arm')] == ['arm', 'arm1', 'arm2']
    assert ('did NOT all move' in lines[-1]) is (other.record.moved() == 0)
