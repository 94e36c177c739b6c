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

"""One parameter of a search: what it may be, and where its range comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from vla_accel_ros.options import KINDS, Option

# Without a range of its own a parameter is searched this far around its default.
FACTOR = 4.0


@dataclass(frozen=True)
class Dimension:
    """A parameter and its range.

    Attributes:
        name: As the ROS nodes call it.
        low: Smallest number; of no use where there are choices.
        high: Largest number.
        integer: Whether it is a whole number.
        log: Whether to search its magnitude.
        choices: All it may be, where it is no number.

    Raises:
        ValueError: When the range is empty or a logarithm has none.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    integer: bool = False
    log: bool = False
    choices: tuple[str | bool, ...] = ()

    def __post_init__(self) -> None:
        if self.choices:
            return
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f'range of {self.name} is {self.low} to {self.high}, expected a smaller and a '
                'larger number'
            )
        if self.log and self.low <= 0:
            raise ValueError(f'range of {self.name} begins at {self.low}, expected above 0')

    def suggest(self, trial) -> object:
        """Have an Optuna trial choose a value."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        if self.integer:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def holding(self, value: object) -> Dimension:
        """Return the same, widened where need be to hold a value."""
        if self.choices:
            return self if value in self.choices else replace(self, choices=(*self.choices, value))
        return replace(
            self, low=min(self.low, value), high=max(self.high, value), log=self.log and value > 0
        )

    def within(self, text: str) -> Dimension:
        """Return the same over a range from the command line, `low:high`.

        Raises:
            ValueError: When it is none.
        """
        low, colon, high = text.partition(':')
        if self.choices:
            known = {str(choice).lower(): choice for choice in self.choices}
            asked = text.lower().split('/')
            if unknown := [word for word in asked if word not in known]:
                raise ValueError(
                    f"{self.name} is '{unknown[0]}', expected some of {'/'.join(known)}"
                )
            return replace(self, choices=tuple(known[word] for word in asked))
        if not colon:
            raise ValueError(f"range of {self.name} is '{text}', expected low:high")
        number = int if self.integer else float
        try:
            ends = [number(end) for end in (low, high)]
        except ValueError:
            expected = f'low:high, each {KINDS[number]}'
            raise ValueError(f"range of {self.name} is '{text}', expected {expected}") from None
        return replace(self, low=ends[0], high=ends[1], log=self.log and ends[0] > 0)

    def to_dict(self) -> dict:
        """Return what tells this range from others."""
        if self.choices:
            return {'choices': list(self.choices)}
        return {'low': self.low, 'high': self.high, 'log': self.log}


def derived(declared: Option, most: float | None = None) -> Dimension:
    """Return the range of a parameter of pruning, from its specification.

    Choices are all tried, shares all the way to 1, and other numbers up to a factor around
    their default.

    Args:
        declared: Its declaration.
        most: A bound that the model sets, such as its number of visual tokens.

    Raises:
        ValueError: When a range cannot be derived.
    """
    default = declared.default
    if isinstance(default, bool):
        return Dimension(declared.name, choices=(False, True))
    if declared.choices:
        return Dimension(declared.name, choices=declared.choices)
    if isinstance(default, tuple | str):
        raise ValueError(f'{declared.name} is no single number, expected one')
    integer = isinstance(default, int)
    low, high = declared.range
    high = high if most is None else min(high, most)
    if not integer and high == 1.0:
        # The least share that a specification allows is next to nothing.
        return Dimension(declared.name, max(low, 0.05) if low > 0 else 0.0, high)
    if default == 0:
        return Dimension(declared.name, low, high, integer)
    around = (max(low, default / FACTOR), min(high, default * FACTOR))
    if integer:
        least, most = max(low, math.floor(around[0])), math.floor(around[1])
        return Dimension(declared.name, least, most, True)
    return Dimension(declared.name, *around, log=True)
