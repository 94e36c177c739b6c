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

"""Where the names of points stand, so that none lies over another or over a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Of the chart in pixels, of a letter, and of a point, about.
_WIDTH, _HEIGHT = 500, 330
_LETTER, _LINE, _POINT = 7.2, 17, 8
# Plotly's names, and where the text lies: across from left (-1) to right, and up (1) or down.
_PLACES = {
    'top right': (1, 1),
    'bottom right': (1, -1),
    'top left': (-1, 1),
    'bottom left': (-1, -1),
    'top center': (0, 1),
    'bottom center': (0, -1),
    'middle right': (1, 0),
    'middle left': (-1, 0),
}


@dataclass(frozen=True)
class _Box:
    left: float
    right: float
    bottom: float
    top: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )


def place(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
) -> list[str | None]:
    """Return for each point Plotly's `textposition`, None where its name has no room.

    Args:
        points: x and y.
        names: As many.
        x_range: Ends of the axis.
        y_range: Ends of the axis.
    """
    spots = [(_share(x, x_range) * _WIDTH, _share(y, y_range) * _HEIGHT) for x, y in points]
    taken = [_Box(x - _POINT, x + _POINT, y - _POINT, y + _POINT) for x, y in spots]
    places = []
    for index, (spot, name) in enumerate(zip(spots, names, strict=True)):
        others = taken[:index] + taken[index + 1 :]
        free = None
        for where, direction in _PLACES.items():
            box = _box(spot, direction, _LETTER * len(name))
            inside = box.left >= 0 and box.right <= _WIDTH
            if inside and not any(box.meets(other) for other in others):
                free = where
                taken.append(box)
                break
        places.append(free)
    return places


def _share(value: float, ends: tuple[float, float]) -> float:
    span = ends[1] - ends[0]
    return (value - ends[0]) / span if span else 0.5


def _box(spot: tuple[float, float], direction: tuple[int, int], width: float) -> _Box:
    across, up = direction
    middle = spot[0] + across * (_POINT + width / 2)
    height = spot[1] + up * (_POINT + _LINE / 2)
    return _Box(middle - width / 2, middle + width / 2, height - _LINE / 2, height + _LINE / 2)
