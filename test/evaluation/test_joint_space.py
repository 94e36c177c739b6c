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

"""A policy of tools that drives the embedded arm by its joints."""

from types import SimpleNamespace

import numpy as np
import pytest

from vla_accel_ros.evaluation.joint_space import JointPath
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert


class ExpertPolicy:
    """The expert, which knows the state, in the place of a model."""

    def __init__(self, env):
        self._env = env

    def reset(self):
        self._expert = Expert()

    def predict(self, observation):
        return SimpleNamespace(
            chunk_values=self._expert.action(self._env.state(), self._env.task)[None]
        )


@pytest.mark.parametrize(
    'instruction', ['pick up the red cube', 'pick up the green cube and place it in the bin']
)
def test_the_expert_succeeds_by_joints_and_nothing_is_refused(instruction):
    env = TabletopEnv(cameras=())
    path = JointPath(env, ExpertPolicy(env))
    env.observe = lambda: {'proprio': env.proprio(), 'view': np.zeros((2, 2, 3), np.uint8)}
    env.cameras = ('view',)
    assert path.run(2_000_003, instruction)
    assert not [name for name in path.counts if name.startswith(('refused', 'watchdog'))]
    assert path.counts['moving'] > 20
