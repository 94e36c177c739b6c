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

"""inference over DDS with a family of another package."""

from inference_robot import INSTRUCTION, Robot, frame
import numpy as np
import pytest

from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.ros.messages import message_stats, message_to_chunk


def test_a_family_of_another_package_is_asked_like_any_other(graph, toy_checkpoint):
    robot = Robot(graph, toy_checkpoint)
    answer = robot.ask(draft=[0.01] * 6 + [0.0])
    views = tuple(np.split(frame(), 2))
    expected = Policy.load(toy_checkpoint).predict(Observation(views, INSTRUCTION), resized=True)
    assert message_to_chunk(answer).values == pytest.approx(expected.chunk_values)
    stats = message_stats(answer)
    assert (stats.keep_ratio, stats.passes, stats.accepted) == (1.0, 1, 0)
    assert robot.graph.set_parameters(
        robot.node, pruning='fastv', keep=0.5, pruning_parameters='{layer: 1, round_up: false}'
    ).successful
    assert message_stats(robot.ask()).keep_ratio == 0.5
