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

"""Proprioception of robosuite's Panda."""

import numpy as np
import pytest

from vla_accel_ros.environments.panda import proprio, rotation_vector


@pytest.mark.parametrize(
    ('quaternion', 'vector'),
    [
        ((0, 0, 0, 1), (0, 0, 0)),
        ((1, 0, 0, 0), (np.pi, 0, 0)),
        ((0, 0, np.sin(0.25), np.cos(0.25)), (0, 0, 0.5)),
        # More than half a turn stays so: the statistics of checkpoints are of these.
        ((0, np.sin(2.0), 0, np.cos(2.0)), (0, 4.0, 0)),
        ((0, 0, 0, 1 + 1e-9), (0, 0, 0)),
    ],
)
def test_quaternions_become_rotation_vectors_as_in_robosuite(quaternion, vector):
    assert rotation_vector(np.array(quaternion)) == pytest.approx(vector)


def test_proprioception_is_tool_rotation_and_both_fingers():
    seen = {
        'robot0_eef_pos': np.array([0.1, 0.2, 0.9]),
        'robot0_gripper_qpos': [0.02, -0.02],
        'robot0_eef_quat': np.array([1.0, 0.0, 0.0, 0.0]),
    }
    assert proprio(seen) == pytest.approx([0.1, 0.2, 0.9, np.pi, 0, 0, 0.02, -0.02])
