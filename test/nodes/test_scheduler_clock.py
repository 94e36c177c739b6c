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

"""A scheduler beside an inference whose host's clock is off."""

import pytest
from scheduler_rig import FORWARD, Rig
from std_srvs.srv import Trigger

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.ros.messages import chunk_to_message


@pytest.fixture
def clock(graph):
    """Serve the other host's clock; `ahead_s` may be changed."""

    class Clock:
        ahead_s = 30.0

        def answer(self, _request, response):
            now_ns = graph.peer.get_clock().now().nanoseconds + round(self.ahead_s * 1e9)
            response.success, response.message = True, f'{now_ns} {now_ns}'
            return response

    made = Clock()
    graph.peer.create_service(Trigger, 'vla/clock', made.answer)
    return made


def test_a_clock_that_is_off_is_named_and_its_answers_are_not_used(graph, clock):
    rig = Rig(graph)
    graph.until(lambda: 'clock_offset' in rig.health.standing(), 'the offset is named')
    assert '30.0' in rig.health.standing()['clock_offset']
    assert 'ahead of ours' in rig.health.standing()['clock_offset']
    rig.frame()
    rig.vla.publish(answer_of(rig))
    graph.until(lambda: rig.health.total('answer_discarded'), 'the answer is discarded')
    assert rig.actions == []
    clock.ahead_s = 0.0
    graph.until(lambda: 'clock_offset' not in rig.health.standing(), 'the clocks agree')
    assert rig.answer() == 'deliberative: answered'


def answer_of(rig):
    return chunk_to_message(ActionChunk([FORWARD], rig.stamp_ns), 0.05, 'base_link', None)
