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

"""The closed loop of training moves the arm as a policy with the same statistics would."""

from dataclasses import replace

import numpy as np
import pytest

from vla_accel_ros.models.action_units import units_of
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.training.batches import Pixels
from vla_accel_ros.training.rollout import Rollout
from vla_accel_ros.training.tokens import statistics

LIFT = 'pick up the red cube'


def moved(key):
    """Return how far the tool goes in the step that the model answers with its largest one."""
    step = np.array([0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    config = replace(
        embedded(12, cameras=1, image_size=32, tower_width=32, width=48, heads=2),
        norm_stats={key: statistics(np.tile(step, (9, 1)) / units_of(key))},
    )

    def answers(pixels, prompts, _):
        return np.tile([1.0, *[0.0] * 6], (len(prompts), 1, 1))

    rollout = Rollout(config, answers, lambda _: [1], Pixels(config), ('agent',))
    try:
        episode = rollout.start(600_000, LIFT)
        begun = rollout.env.ee_pose()[0]
        for _ in range(3):
            rollout.advance([episode])
        return (rollout.env.ee_pose()[0] - begun)[0]
    finally:
        rollout.close()


def test_statistics_in_a_controllers_units_give_the_same_motion():
    assert moved('here') > 0.02
    assert moved('libero-mine') == pytest.approx(moved('here'), abs=1e-6)
