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

"""Whether a drop of visual tokens pays on this device, with this engine.

A drop saves what the dropped tokens would have cost in the layers behind it. It costs the choice:
scores, the copy to the host, the selection. Where starting operations takes most of a call, fewer
tokens take as long as all, and no drop pays; where arithmetic does, most do. The planner holds
both against each other, in milliseconds of this device. Ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

# The choice of so many pruned calls is known before one is judged, and so many are remembered:
# the least counts, for what disturbs a call only adds to it.
JUDGED, REMEMBERED = 3, 8
# One in so many calls that would be skipped is pruned all the same, for a method's count may
# have changed with the scene.
AGAIN = 64
# Operations that cutting the decoder's layers in two adds: copies of positions and rows.
CUT = 12


@dataclass(frozen=True)
class Curve:
    """Milliseconds by tokens, straight between points.

    Attributes:
        points: (tokens, ms), ascending, at least one. Below the first it is flat, for the cost of
            starting operations stays; beyond the last it goes on as between the last two.

    Raises:
        ValueError: When there is no point, or they do not ascend.
    """

    points: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        counts = [count for count, _ in self.points]
        if not counts or counts != sorted(set(counts)):
            raise ValueError(f'points at {counts} tokens, expected ascending numbers')

    def __call__(self, tokens: float) -> float:
        """Give the milliseconds for so many tokens."""
        points = self.points
        if tokens <= points[0][0] or len(points) == 1:
            return points[0][1]
        place = next((i for i, (count, _) in enumerate(points) if count >= tokens), -1)
        (left, low), (right, high) = points[place - 1], points[place]
        return low + (high - low) * (tokens - left) / (right - left)


@dataclass(frozen=True)
class Costs:
    """What the parts of a call that depend on visual tokens take.

    Attributes:
        layers: Decoder layers.
        layer: One of them, by visual tokens in the sequence.
        projector: All of it, by visual tokens that go through.
        launch_ms: The start of one operation.
    """

    layers: int
    layer: Curve
    projector: Curve
    launch_ms: float


@dataclass(frozen=True)
class Drop:
    """Where a method drops.

    Attributes:
        layer: Decoder layers that still see every token; 0 for before the decoder.
        projector: Whether the projector is spared, too.
    """

    layer: int
    projector: bool = False


def drop_of(seen: Sequence[int], projected: int, total: int) -> Drop:
    """Give the first drop of a call.

    Args:
        seen: Visual tokens that each decoder layer saw.
        projected: Visual tokens that went through the projector.
        total: Visual tokens without a drop.
    """
    whole = next((layer for layer, count in enumerate(seen) if count < total), len(seen))
    return Drop(whole, projected < total)


@dataclass
class Seen:
    """What a method was seen to do.

    Attributes:
        drop: Where it dropped last.
        kept: Tokens that it kept then.
        choice_ms: What choosing took, of the last pruned calls.
        skipped: Calls since it was skipped for the first time.
    """

    drop: Drop = Drop(0)
    kept: int = 0
    choice_ms: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    skipped: int = 0


class Planner:
    """Say for each call whether a method's drop pays; see the module.

    Args:
        costs: Of this device and engine.
        total: Visual tokens without a drop.
        sizes: Counts that may be kept, for the tables.

    Attributes:
        costs: As given.
    """

    def __init__(self, costs: Costs, total: int, sizes: Sequence[int]) -> None:
        self.costs, self._total, self._sizes = costs, total, tuple(sizes)
        self._seen: dict[Hashable, Seen] = {}

    def ms(self, drop: Drop, kept: int) -> float:
        """Give what projector and decoder layers take with so many tokens kept by a drop."""
        costs, behind = self.costs, self.costs.layers - drop.layer
        before = drop.layer * costs.layer(self._total)
        cut = CUT * costs.launch_ms if drop.layer else 0.0
        through = kept if drop.projector else self._total
        return costs.projector(through) + before + cut + behind * costs.layer(kept)

    @property
    def full_ms(self) -> float:
        """What projector and decoder layers take without a drop."""
        return self.costs.projector(self._total) + self.costs.layers * self.costs.layer(
            self._total
        )

    def pays(self, drop: Drop, kept: int, choice_ms: float) -> bool:
        """Say whether keeping so many tokens saves more than the choice takes."""
        return self.full_ms - self.ms(drop, kept) > choice_ms

    def pays_up_to(self, drop: Drop, choice_ms: float) -> int:
        """Give the most tokens that may be kept for the drop to pay; 0 where none does."""
        low, high = 0, self._total
        # What is saved only falls with the count.
        while low < high:
            middle = (low + high + 1) // 2
            if self.pays(drop, middle, choice_ms):
                low = middle
            else:
                high = middle - 1
        return low

    def learn(
        self, method: Hashable, choice_ms: float, seen: Sequence[int], projected: int
    ) -> None:
        """Take in what a pruned call took.

        Args:
            method: The method with its parameters.
            choice_ms: Time of its choice.
            seen: Visual tokens that each decoder layer saw.
            projected: Visual tokens that went through the projector.
        """
        known = self._seen.setdefault(method, Seen())
        known.drop, known.kept = drop_of(seen, projected, self._total), seen[-1]
        known.choice_ms.append(choice_ms)

    def runs(self, method: Hashable, again: bool = True) -> bool:
        """Say whether a method is to prune in the call that begins now.

        It is until enough is known of it.

        Args:
            method: The method with its parameters.
            again: Whether one that does not pay is tried again now and then.
        """
        known = self._judged(method, again)
        if known is None or self.pays(known.drop, known.kept, min(known.choice_ms)):
            if known is not None:
                known.skipped = 0
            return True
        known.skipped += 1
        return again and known.skipped % AGAIN == 0

    def row(self, drop: Drop, choice_ms: float) -> dict[str, Any]:
        """Give a line of the table: milliseconds by count, the choice in them."""
        return {
            'layer': drop.layer,
            'projector': drop.projector,
            'choice_ms': choice_ms,
            'full_ms': self.full_ms,
            'ms': {str(size): self.ms(drop, size) + choice_ms for size in self._sizes},
            'pays_up_to': self.pays_up_to(drop, choice_ms),
        }

    def _judged(self, method: Hashable, again: bool) -> Seen | None:
        """Give what is known of a method, None where it is not enough for a verdict."""
        known = self._seen.get(method)
        # A verdict that is final needs more calls: what disturbs a few must not decide it.
        least = JUDGED if again else REMEMBERED
        return known if known is not None and len(known.choice_ms) >= least else None

    def said(self, method: Hashable, again: bool = True) -> str:
        """Say in words what is known of a method; see `runs`."""
        known = self._judged(method, again)
        if known is None:
            return 'measuring'
        most = self.pays_up_to(known.drop, min(known.choice_ms))
        verdict = 'pays' if known.kept <= most else 'does not pay'
        return (
            f'{verdict}: {known.kept} of {self._total} tokens kept, a drop pays here up to {most}'
        )
