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

"""Frames are answered in each way that fits, and the policy stays as it is."""

from vla_accel_ros.models.engine_calibration import calibrate
from vla_accel_ros.models.parity.frames import few_frames
from vla_accel_ros.models.policy import Policy


def test_a_way_that_does_not_fit_is_left_out(embedded_folder):
    policy = Policy.load(embedded_folder)
    before = policy.in_use
    ways = {
        'none': lambda asked: asked.set_pruning('none'),
        'odd': lambda asked: asked.set_pruning('fastv', layer=1000),
    }
    found = calibrate(policy, lambda: few_frames(policy), ways, most=3)
    assert len(found.samples(policy.model.vision())) == 3
    assert policy.in_use is before
