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


"""The parameters that every pruning method has, and those that several share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vla_accel_ros.options import Option, as_field, check_options, option
from vla_accel_ros.pruning.interface import Layout

# Counts of kept tokens at which graphs and engines are built, for 256 tokens a camera.
BUCKETS = (32, 48, 64, 96, 128, 192, 256)


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
        range=(1, 65536),
    )

    planner: bool = option(
        False,
        'skip the choice where what it saves does not pay for it on this device; off leaves the '
        'method as published',
    )

    def __post_init__(self) -> None:
        check_options(self)
        if list(self.buckets) != sorted(set(self.buckets)):
            raise ValueError(f'buckets are {list(self.buckets)}, expected ascending numbers')


# Fields that several methods share, with one meaning.
LAYER = 'decoder layer after which tokens are dropped, from 1'
ADAPTIVE, FIXED = 'adaptive', 'fixed'
# A ratio of 0 keeps nothing and is refused.
KEEP = Option(
    'keep',
    0.25,
    'visual tokens kept over visual tokens, before rounding up to a bucket',
    range=(0.001, 1.0),
)
BUDGET = Option(
    'budget',
    ADAPTIVE,
    "the method's own count, or the fixed ratio `keep` for comparisons",
    choices=(ADAPTIVE, FIXED),
)


def keep_option() -> Any:
    """Declare the keep ratio, in (0, 1]."""
    return as_field(KEEP)


def budget_option() -> Any:
    """Declare whether a method finds its count itself or keeps a fixed ratio."""
    return as_field(BUDGET)


def layer_option(paper: int) -> Any:
    """Declare a decoder layer; 0 stands for the paper's, of 32, scaled to the model's depth."""
    return option(0, f'{LAYER}; 0: {paper} of 32, scaled to the model', range=(0, 1024))


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


def scored_layer(
    name: str, value: int, paper: int, layout: Layout, last: int, answering: bool = False
) -> int:
    """Give the layer meant by a parameter where scores are made: it must have attention.

    Where the automatic one has none, the nearest before it stands in, or else behind it (ours).

    Args:
        name: As for `auto_layer`.
        value: Likewise.
        paper: Likewise.
        layout: Says how many layers there are, and which have no attention.
        last: As for `auto_layer`.
        answering: Whether the scores are those of the action-decoding rows.

    Raises:
        ValueError: As `auto_layer`; and when a layer without attention was asked for, or there is
            none with it up to `last`.
    """
    layer = auto_layer(name, value, paper, layout.layers, last)
    without = (*layout.without_attention, *(layout.not_answering if answering else ()))
    if layer not in without:
        return layer
    able = [other for other in range(1, last + 1) if other not in without]
    if value or not able:
        left_out = layer in layout.without_attention
        why = 'whose attention is left out and gives no' if left_out else 'that gives no such'
        raise ValueError(
            f'{name} is {layer}, a decoder layer {why} scores, expected one of {able}'
        )
    return min(able, key=lambda other: (other > layer, abs(other - layer)))
