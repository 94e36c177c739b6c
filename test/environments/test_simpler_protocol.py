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

"""The numbers and conventions of SimplerEnv's tasks."""

import numpy as np
import pytest

from vla_accel_ros.environments import simpler_protocol as protocol


def test_horizons_are_60_steps_and_120_for_the_eggplant():
    horizons = {name: task.horizon for name, task in protocol.TASKS.items()}
    assert horizons == {'carrot': 60, 'spoon': 60, 'cube': 60, 'eggplant': 120}
    assert protocol.CONTROL_HZ == 5 and protocol.LAYOUTS == 24


@pytest.mark.parametrize(('gripper', 'told'), [(0.0, 1), (0.49, 1), (0.51, -1), (1.0, -1)])
def test_the_gripper_is_1_open_and_minus_1_closed_the_other_way_round_than_libero(gripper, told):
    action = np.array([0.01, -0.02, 0.03, 0.1, 0.0, -0.1, gripper])
    assert protocol.MAPPING.to_environment(action) == pytest.approx(
        [0.01, -0.02, 0.03, 0.1, 0.0, -0.1, told]
    )
