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

"""What ends a goal: its settings, checked as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from vla_accel_ros.options import check_options, option


@dataclass(frozen=True)
class GoalConfig:
    """What ends a goal.

    Raises:
        ValueError: When a value is outside its range.
    """

    required: bool = option(
        False, 'Let no action reach an arm that is enabled unless a goal is executed'
    )
    time_limit: float = option(
        60.0,
        'A goal that moved the arm for longer is aborted; 0 never',
        unit='s',
        range=(0, 86400),
    )
    step_limit: int = option(
        0, 'A goal is aborted after so many actions; 0 never', range=(0, 1_000_000)
    )
    prepare_limit: float = option(
        120.0,
        'A goal is aborted when the arm cannot be enabled for so long, as while a model is loaded',
        unit='s',
        range=(0.1, 3600.0),
    )
    patience: float = option(
        5.0, 'A goal is aborted when no action came for so long', unit='s', range=(0.1, 600.0)
    )
    client_silence: float = option(
        1.0,
        'A client that has once published on vla/goal_alive and then is silent for so long is '
        'gone: its goal is canceled',
        unit='s',
        range=(0.1, 60.0),
    )

    def __post_init__(self) -> None:
        check_options(self)
