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


"""Parameters that know their unit, range and meaning, and refuse what lies outside."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from math import isfinite
from typing import Any

# Counts of kept tokens at which graphs and engines are built, for 256 tokens a camera.
BUCKETS = (32, 48, 64, 96, 128, 192, 256)


def option(
    default: Any,
    doc: str,
    *,
    unit: str = '',
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a field of a `Parameters` class.

    Args:
        default: Its default; its type is the field's type. Tuples have elements of one type.
        doc: One line that says what it does.
        unit: SI unit, empty for pure numbers.
        low: Smallest allowed number, inclusive.
        high: Largest allowed number, inclusive.
        choices: The allowed strings.
    """
    return field(
        default=default,
        metadata={'doc': doc, 'unit': unit, 'low': low, 'high': high, 'choices': choices},
    )


def _check_one(name: str, value: Any, kind: type, meta) -> Any:
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f'{name} is {value!r}, expected a {kind.__name__}')
    if meta['choices'] and value not in meta['choices']:
        raise ValueError(f'{name} is {value!r}, expected one of {list(meta["choices"])}')
    low, high = meta['low'], meta['high']
    if kind in (int, float) and not (
        isfinite(value) and (low is None or value >= low) and (high is None or value <= high)
    ):
        unit = f' {meta["unit"]}' if meta['unit'] else ''
        raise ValueError(f'{name} is {value}{unit}, expected {low} to {high}{unit}')
    return value


def _check(spec: Field, value: Any) -> Any:
    if not isinstance(spec.default, tuple):
        return _check_one(spec.name, value, type(spec.default), spec.metadata)
    if isinstance(value, str | bytes) or not hasattr(value, '__iter__'):
        raise ValueError(f'{spec.name} is {value!r}, expected a list')
    values = list(value)
    if not values:
        raise ValueError(f'{spec.name} is empty, expected at least one value')
    kind = type(spec.default[0])
    return tuple(_check_one(spec.name, v, kind, spec.metadata) for v in values)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What every pruning method has; each method adds its own.

    Raises:
        ValueError: When a value has the wrong type or lies outside its range.
    """

    round_up: bool = option(
        True, 'round the kept count up to a bucket, so that graphs and engines can follow'
    )
    buckets: tuple[int, ...] = option(
        BUCKETS,
        'kept counts a camera, for a model of 256 tokens a camera; scaled to others',
        low=1,
        high=65536,
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            object.__setattr__(self, spec.name, _check(spec, getattr(self, spec.name)))
        if list(self.buckets) != sorted(set(self.buckets)):
            raise ValueError(f'buckets are {list(self.buckets)}, expected ascending numbers')


# Fields that several methods share, with one meaning.
KEEP = 'visual tokens kept over visual tokens, before rounding up to a bucket'
LAYER = 'decoder layer after which tokens are dropped, from 1'
ADAPTIVE, FIXED = 'adaptive', 'fixed'


def keep_option(default: float = 0.25) -> Any:
    """Declare the keep ratio, in (0, 1]; a ratio of 0 keeps nothing and is refused."""
    return option(default, KEEP, low=1e-3, high=1.0)


def budget_option() -> Any:
    """Declare whether a method finds its count itself or keeps a fixed ratio."""
    return option(
        ADAPTIVE,
        "the method's own count, or the fixed ratio `keep` for comparisons",
        choices=(ADAPTIVE, FIXED),
    )


def layer_option(paper: int) -> Any:
    """Declare a decoder layer; 0 stands for the paper's, of 32, scaled to the model's depth."""
    return option(0, f'{LAYER}; 0: {paper} of 32, scaled to the model', low=0, high=1024)


def auto_layer(name: str, value: int, paper: int, depth: int, last: int) -> int:
    """Give the layer meant by a parameter.

    Args:
        name: The parameter's name, for the message.
        value: What it was set to; 0 for automatic.
        paper: The paper's layer, of 32.
        depth: Decoder layers of this model.
        last: Last layer that makes sense.

    Returns:
        A layer from 1 to `last`.

    Raises:
        ValueError: When a layer was asked for that the model lacks.
    """
    if value == 0:
        return min(max(1, round(paper * depth / 32)), last)
    if not 1 <= value <= last:
        raise ValueError(f'{name} is {value}, expected 1 to {last} in a decoder of {depth} layers')
    return value
