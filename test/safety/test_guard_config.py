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

from dataclasses import fields

import pytest

from vla_accel_ros.options import options_of
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.limits import Limits


def test_every_field_is_declared_but_the_parts_and_the_box():
    for kind, others in (
        (GuardConfig, {'limits', 'joints'}),
        (Limits, {'workspace_min', 'workspace_max'}),
    ):
        assert set(options_of(kind)) == {item.name for item in fields(kind)} - others


def test_the_defaults_keep_what_moveit_servo_needs():
    config = GuardConfig()
    assert config.min_rate_hz == 20
    assert config.max_rate_hz == 100
    assert 1 / config.min_rate_hz + config.grace_s <= 0.1


@pytest.mark.parametrize(
    'options, message',
    [
        ({'min_rate_hz': 10}, 'min_rate_hz is 10.0, expected a number from 20.0 to 200.0 Hz'),
        ({'min_rate_hz': float('nan')}, 'min_rate_hz is nan'),
        ({'min_rate_hz': 120}, 'rates are 120.0 to 100.0 Hz'),
        ({'late_s': 0.04}, 'late_s is 0.04, expected below grace_s, 0.04'),
        ({'late_s': -0.01}, 'late_s is -0.01'),
        ({'grace_s': 0.2}, 'grace_s is 0.2'),
        ({'hold_limit_s': 0}, 'hold_limit_s is 0'),
        ({'samples_per_action': 0}, 'samples_per_action is 0'),
        ({'gripper_open_below': 0.9}, 'open_below, close_above are 0.9, 0.6'),
        ({'gripper_min_dwell_s': -1}, 'min_dwell_s is -1'),
    ],
)
def test_a_value_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GuardConfig(**options)
