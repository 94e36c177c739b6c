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

"""Numbers as the page writes them."""

from __future__ import annotations

import math

from vla_accel_ros.report.data import Bound, Estimate, Measure
from vla_accel_ros.report.text import against

NOTHING = '–'


def number(value: float | None, digits: int = 1, unit: str = '') -> str:
    """Write a number with its unit; what is missing or not finite is a dash."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f'{value:.{digits}f}'
    if float(text) == 0:
        text = text.removeprefix('-')
    return text.replace('-', '−') + (f' {unit}' if unit else '')


def interval(estimate: Estimate | None, digits: int = 1) -> str:
    """Write the 95 % interval of a number, empty where there is none."""
    if estimate is None or estimate.low is None:
        return ''
    return f'{number(estimate.low, digits)} … {number(estimate.high, digits)}'


def times(ratio: float) -> str:
    """Write by how much less something is, such as '2.50× less', or '1.35× more'."""
    return against(ratio).replace('x ', '× ')


def in_full(measure: Measure, estimate: Estimate | None) -> str:
    """Write a number with unit and interval, such as '3.1 mm (2.8 … 3.4)'."""
    if estimate is None:
        return NOTHING
    span = interval(estimate, measure.digits)
    text = number(estimate.value, measure.digits, measure.unit)
    return f'{text} ({span})' if span else text


def heading(measure: Measure) -> str:
    """Write a measure's title with its unit, such as 'model time, ms'."""
    return f'{measure.title}, {measure.unit}' if measure.unit else measure.title


def limit(bound: Bound, measure: Measure) -> str:
    """Write a bound, such as 'at most 5.0 mm'."""
    words = 'at least' if measure.better == 'higher' else 'at most'
    return f'{words} {number(bound.limit, measure.digits, measure.unit)}'
