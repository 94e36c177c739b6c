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

"""The ways of running a policy that can be compared, by name."""

from __future__ import annotations

from dataclasses import dataclass

from vla_accel_ros.scheduling.config import SchedulerConfig


@dataclass(frozen=True)
class Method:
    """One way of running the policy.

    Attributes:
        name: What it is called on the command line.
        summary: One line on what it does.
        scheduler: Settings of the scheduler.
    """

    name: str
    summary: str
    scheduler: SchedulerConfig


METHODS = {
    method.name: method
    for method in (
        Method('none', 'the policy at every step, unaccelerated', SchedulerConfig(rule='never')),
        Method('sp_vla', 'SP-VLA scheduling: ridge while the speed is in a band',
               SchedulerConfig(rule='velocity', generator='ridge')),
        Method('hold', 'the same rule, repeating the last action instead of the ridge',
               SchedulerConfig(rule='velocity', generator='hold')),
    )
}


def find(names: str) -> tuple[Method, ...]:
    """Return the methods of a comma-separated list, in its order.

    Raises:
        ValueError: When the list is empty, names one twice or one that is unknown.
    """
    chosen = [name.strip() for name in names.split(',') if name.strip()]
    unknown = [name for name in chosen if name not in METHODS]
    if unknown or not chosen:
        what = f'method {unknown[0]!r} is unknown' if unknown else 'no method is given'
        raise ValueError(f'{what}, expected some of: {", ".join(METHODS)}')
    if len(set(chosen)) < len(chosen):
        raise ValueError(f'methods {names!r} names one twice')
    return tuple(METHODS[name] for name in chosen)
