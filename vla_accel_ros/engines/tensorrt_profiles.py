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

"""Which sizes a plan of TensorRT is built for.

A plan has profiles: ranges of all its free sizes with the size within each that it is tuned to.
Sizes of one name have one range in all inputs, which TensorRT asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vla_accel_ros.engines.interface import Bucket, EngineError
from vla_accel_ros.engines.onnx.signature import Port

# Tokens of a sequence beside visual ones and action slots: prompt, proprioception, drafts, stop.
TEXT, USUAL_TEXT = 128, 32
# Shares of the visual tokens that the sequences of the profiles have.
SHARES = (1.0, 0.5, 0.25)
# Passes of so many tokens: an action's columns, and the token that starts them.
PASS, USUAL_PASS = 8, 7


@dataclass(frozen=True)
class Range:
    """Sizes from `least` to `most`; the plan is tuned to `usual`."""

    least: int
    usual: int
    most: int

    def __contains__(self, size: int) -> bool:
        return self.least <= size <= self.most

    def __str__(self) -> str:
        return f'{self.least}..{self.usual}..{self.most}'


Profile = Mapping[str, Range]


@dataclass(frozen=True)
class Limits:
    """What a model's sequences are made of, at most.

    Attributes:
        visual: Visual tokens of all images.
        slots: Action slots of a single-pass model.
        positions: Positions that the decoder was made for.
    """

    visual: int
    slots: int
    positions: int

    def sequence(self, share: float = 1.0, text: int = TEXT) -> int:
        """Give the length of a sequence with a share of the visual tokens."""
        return min(self.positions, round(share * self.visual) + self.slots + text)


def profiles(inputs: Sequence[Port], limits: Limits) -> tuple[Profile, ...]:
    """Give the profiles of a graph, the largest first; none where no size is free.

    A graph over a sequence has one a share of visual tokens. They overlap: the narrowest that
    holds a size is taken.
    """
    free = {size for port in inputs for size in port.shape if isinstance(size, str)}
    if not free:
        return ()
    whole = limits.sequence()
    result = []
    for share in SHARES if 'tokens' in free else SHARES[:1]:
        most = limits.sequence(share)
        ranges = {
            'tokens': Range(1, limits.sequence(share, USUAL_TEXT), most),
            'before': Range(1, limits.sequence(1.0, USUAL_TEXT), whole),
            'rows': Range(1, max(1, limits.slots), most),
            'kept': Range(1, max(1, limits.visual // 2), limits.visual),
            'count': Range(1, USUAL_PASS, PASS),
            'capacity': Range(1, limits.sequence(1.0, USUAL_TEXT), whole + PASS),
            'prompt': Range(1, USUAL_TEXT, TEXT),
        }
        result.append({name: ranges[name] for name in sorted(free)})
    return tuple(result)


def shapes(port: Port, profile: Profile) -> tuple[tuple[int, ...], ...]:
    """Give the least, the usual and the largest shape of an input in a profile."""
    return tuple(
        tuple(
            getattr(profile[size], which) if isinstance(size, str) else size for size in port.shape
        )
        for which in ('least', 'usual', 'most')
    )


def sizes(inputs: Sequence[Port], bucket: Bucket) -> dict[str, int]:
    """Give the free sizes of a bucket by name.

    Raises:
        EngineError: When the bucket is none of the graph's.
    """
    found: dict[str, int] = {}
    shapes_by_name = dict(bucket)
    for port in inputs:
        shape = shapes_by_name.get(port.name)
        if shape is None:
            raise EngineError(f'input {port.name} is missing')
        pairs = list(zip(port.shape, shape, strict=False))
        fits = len(shape) == len(port.shape) and all(
            found.setdefault(wanted, size) == size if isinstance(wanted, str) else wanted == size
            for wanted, size in pairs
        )
        if not fits:
            raise EngineError(
                f'input {port.name} is {list(shape)}, the graph is for {list(port.shape)}'
            )
    return found


def choose(known: Sequence[Profile], wanted: Mapping[str, int]) -> int:
    """Give the narrowest profile that holds sizes, as its place; 0 where there are none.

    Raises:
        EngineError: When no profile holds them.
    """
    for place in reversed(range(len(known))):
        if all(size in known[place][name] for name, size in wanted.items()):
            return place
    for name, size in wanted.items():
        if known and size not in known[0][name]:
            raise EngineError(f'{name} is {size}, the plan was built for {known[0][name]}')
    return 0
