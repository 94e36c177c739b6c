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

"""The node over DDS and the closed loop decide alike on the same frames and answers."""

from dataclasses import replace

import numpy as np
import pytest
from scheduler_rig import FORWARD, STEP, Rig

from vla_accel_ros.acceleration import find
from vla_accel_ros.acceleration.node_parameters import parameters_of
from vla_accel_ros.evaluation.driver import Driver
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.ros.messages import ChunkStats, message_to_action

INSTRUCTION = 'pick up the red cube'
SLOW = [0.001, 0.0, -0.001, 0.0, 0.0, 0.0, 0.0]
CHUNKS = ([FORWARD, SLOW, SLOW, SLOW], [FORWARD] * 4, [SLOW] * 3, [FORWARD, FORWARD, SLOW, SLOW])
STEPS = 12


class Recorded:
    """A policy whose answers are those that were recorded, four tokens of each confirmed."""

    def __init__(self, policy, chunks):
        self._policy, self._chunks = policy, iter(chunks)

    def __getattr__(self, name):
        return getattr(self._policy, name)

    def predict(self, *args, **kwargs):
        values = np.array(next(self._chunks))
        return replace(self._policy.predict(*args, **kwargs), chunk_values=values, accepted=4)


def by_driver(method, policy, chunks, first_ns):
    driver = Driver(Recorded(policy, chunks), method)
    driver.reset(INSTRUCTION)
    images = (np.zeros((32, 32, 3), np.uint8),) * policy.config.cameras
    found = []
    for step in range(STEPS):
        now = first_ns + step * STEP
        record = driver.step(now, now, lambda now=now: Observation(images, INSTRUCTION, now))
        found.append((record.kind, record.reason, record.action))
    return found


def by_node(rig, chunks):
    asked, found = 0, []
    for _ in range(STEPS):
        said = rig.frame()
        if rig.node._pilot.counters['requests'] > asked:
            answered = rig.answer(chunks[asked], stats=ChunkStats(1.0, 0.01, 3, 4))
            asked += 1
            if said.startswith('deliberative'):
                said = answered
        found.append(tuple(said.split(': ')))
    return found


@pytest.mark.parametrize('text', ['none@replan_on_fine=true', 'hold@v_min=0,tau=0'])
def test_node_and_closed_loop_decide_alike(graph, random_checkpoint, text):
    (method,) = find(text)
    chunks = CHUNKS * 3
    rig = Rig(graph, INSTRUCTION, **parameters_of(method)['scheduler'])
    expected = by_driver(
        method, Policy.load(random_checkpoint, threads=1), chunks, rig.stamp_ns + STEP
    )
    assert by_node(rig, chunks) == [(kind, reason) for kind, reason, _ in expected]
    graph.until(lambda: len(rig.actions) == STEPS, 'an action a step')
    for message, (*_, action) in zip(rig.actions, expected, strict=True):
        np.testing.assert_array_equal(message_to_action(message).values, action)
    if 'replan' in text:
        assert 'replan' in [reason for _, reason, _ in expected]
    else:
        assert 'intuitive' in [kind for kind, *_ in expected]
