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

from vla_accel_ros.nodes.scheduler_settings import SETTINGS
from vla_accel_ros.scheduling.config import PARAMETERS, SchedulerConfig


def test_every_field_of_the_configuration_is_a_parameter():
    names = {setting.name for setting in SETTINGS if not setting.name.startswith('goal.')} - {
        *('instruction', 'frame_id', 'silence', 'real_time_priority', 'action_space'),
        *('observation', 'observation_quality', 'max_clock_offset'),
    }
    assert set(PARAMETERS) == names
    assert set(PARAMETERS.values()) == {field.name for field in fields(SchedulerConfig)}
