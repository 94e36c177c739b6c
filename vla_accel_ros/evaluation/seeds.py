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

"""Which seeds are for what: training, tuning and reporting never share an episode."""

from __future__ import annotations

RANGES = {
    'training': range(0, 1_000_000),
    'tuning': range(1_000_000, 2_000_000),
    'reporting': range(2_000_000, 3_000_000),
}


def purpose(seed: int) -> str | None:
    """Return the name of the range that holds a seed, or None."""
    return next((name for name, seeds in RANGES.items() if seed in seeds), None)


def of_purpose(first: int, count: int) -> tuple[str, range]:
    """Return what seeds are for, `other` outside of all ranges, and the seeds.

    Raises:
        ValueError: When there is no episode, a seed is negative, or they are for several things.
    """
    if first < 0:
        raise ValueError(f'seed {first}, expected 0 or more')
    name = purpose(first)
    if name is not None:
        return name, require(name, first, count)
    return 'other', _range(first, count)


def require(purpose_name: str, first: int, count: int) -> range:
    """Return the seeds first ... first + count - 1 after checking what they are for.

    Args:
        purpose_name: A name in `RANGES`.
        first: The first seed.
        count: How many episodes.

    Raises:
        ValueError: When there is no episode, or a seed lies outside the named range.
    """
    wanted = _range(first, count)
    allowed = RANGES[purpose_name]
    last = first + count - 1
    if first not in allowed or last not in allowed:
        raise ValueError(
            f'seeds {first} to {last} are not all for {purpose_name}, expected seeds from '
            f'{allowed.start} to {allowed.stop - 1}'
        )
    return wanted


def _range(first: int, count: int) -> range:
    if count < 1:
        raise ValueError(f'{count} episodes asked for, expected at least 1')
    return range(first, first + count)
