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

"""How a flow goes on from the chunk under way, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from vla_accel_ros.options import check_options, option

OFF = 'off'
# How the say of the old chunk falls behind the rows that are bound to be executed.
SCHEDULES = ('exp', 'linear', 'ones', 'zeros')
PREFIX = 'prefix'


@dataclass(frozen=True)
class Continuation:
    """What a new chunk takes from the old one.

    Raises:
        ValueError: When a value is outside its range.
    """

    rtc: str = option(
        OFF,
        'Real-time chunking: a new chunk is guided towards what is left of the old one, by '
        'weights that fall behind the rows that will be executed meanwhile (exp as in the paper, '
        'linear, ones, zeros), or begins with these rows (prefix, for checkpoints that were '
        'trained with them), or does neither (off)',
        choices=(OFF, *SCHEDULES, PREFIX),
    )
    rtc_rows: int = option(
        0, 'Rows of the old chunk that have a say; 0 for all that are left', range=(0, 1024)
    )
    rtc_weight: float = option(
        10.0, 'Largest weight of the guidance; about the number of steps', range=(0.0, 1000.0)
    )
    flow_warm: float = option(
        0.0,
        'Time at which denoising begins with what is left of the old chunk, a mixture of it and '
        'of so much noise; steps before that time are not taken. 0 begins with noise alone',
        range=(0.0, 1.0),
    )

    def __post_init__(self) -> None:
        check_options(self)
