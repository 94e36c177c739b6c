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

"""A policy of the tool that answers steps of joints."""

from dataclasses import dataclass

import numpy as np
import pytest

from vla_accel_ros.graph.joint_inference import JointPolicy
from vla_accel_ros.inputs.joint_states import ProprioBuffer
from vla_accel_ros.observations import Observation
from vla_accel_ros.sim.description import JOINT_NAMES
from vla_accel_ros.sim.joints import JOINT_STEPS

HOME = [0, 0.3, 0, -2.15, 0, 2.45, 0.7853]
RISE = np.array([[0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 1.0]] * 2)


@dataclass
class Answer:
    """What a policy answers."""

    chunk_values: np.ndarray


class Rises:
    """Lifts the tool, and closes the gripper."""

    unnorm_key = 'a key'

    def predict(self, observation, resized):
        return Answer(RISE)


def test_an_answer_is_the_steps_of_joints_from_where_they_were_when_the_cameras_looked():
    joints = ProprioBuffer(JOINT_NAMES)
    policy = JointPolicy(Rises(), joints)
    observation = Observation((np.zeros((8, 8, 3), np.uint8),), 'rise', 1_000_000_000)
    with pytest.raises(ValueError, match='nothing came'):
        policy.predict(observation)
    joints.add(1_010_000_000, JOINT_NAMES, HOME)
    joints.add(1_030_000_000, JOINT_NAMES, np.zeros(7))
    rows = policy.predict(observation, motion=None, draft=None).chunk_values
    assert rows.shape == (2, JOINT_STEPS.width)
    env = policy._env
    ends = HOME + np.cumsum(rows[:, JOINT_STEPS.moving], axis=0)
    heights = [env._arm.tool_at(np.asarray(at))[0][2] for at in (HOME, *ends)]
    np.testing.assert_allclose(np.diff(heights), RISE[:, 2], atol=1e-3)
    assert (rows[:, JOINT_STEPS.grippers] == 1).all()
    assert policy.unnorm_key == 'a key'
