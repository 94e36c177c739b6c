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

"""The parameters of the scheduler: the fields of `SchedulerConfig`, seconds without `_s`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vla_accel_ros.inputs.compression import OPTIONS as OBSERVATION
from vla_accel_ros.options import Option, options_of
from vla_accel_ros.ros.common_options import ACTION_SPACE, FRAME_ID, REAL_TIME, SILENCE
from vla_accel_ros.scheduling.clock_offset import BOUND
from vla_accel_ros.scheduling.config import PARAMETERS, SchedulerConfig
from vla_accel_ros.scheduling.goal_config import GoalConfig

FIELDS = options_of(SchedulerConfig)
# The range within which frames and answers come over topics in time.
GOAL_FIELDS = options_of(GoalConfig)
POLICY_STEP = replace(FIELDS['policy_step_s'], name='policy_step', range=(0.02, 1.0))

SETTINGS = (
    Option(
        'instruction',
        '',
        'What to do, in words, until one comes on vla/instruction; empty waits for one',
    ),
    ACTION_SPACE,
    FRAME_ID,
    SILENCE,
    *OBSERVATION,
    BOUND,
    POLICY_STEP,
    *(
        replace(FIELDS[field], name=name)
        for name, field in PARAMETERS.items()
        if name != POLICY_STEP.name
    ),
    *(replace(each, name=f'goal.{name}') for name, each in GOAL_FIELDS.items()),
    REAL_TIME,
)


def goal_config(settings: Mapping[str, object]) -> GoalConfig:
    """Make of the parameters what ends a goal."""
    return GoalConfig(**{name: settings[f'goal.{name}'] for name in GOAL_FIELDS})
