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

"""What the markers show, as plain shapes in the base frame; knows no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import hypot
from typing import Literal

Point = tuple[float, float, float]
Colour = tuple[float, float, float, float]

DELIBERATIVE, INTUITIVE, QUEUED, HELD = 'deliberative', 'intuitive', 'queued', 'held'
COLOURS: dict[str, Colour] = {
    DELIBERATIVE: (0.95, 0.50, 0.15, 1.0),
    INTUITIVE: (0.20, 0.80, 0.50, 1.0),
    QUEUED: (0.65, 0.45, 0.95, 1.0),
    HELD: (0.95, 0.20, 0.20, 1.0),
}
WHITE: Colour = (1.0, 1.0, 1.0, 1.0)
FREE: Colour = (0.55, 0.60, 0.68, 1.0)
# A shorter arrow is no more than a dot.
SHORTEST_M = 0.001
TEXT_ABOVE_M = 0.12
# Where the text stands while nobody tells where the tool is: above the base.
WITHOUT_TOOL: Point = (0.0, 0.0, 1.0)
NAMES = ('text', 'velocity', 'workspace')


@dataclass(frozen=True)
class Scene:
    """All that is known at one moment.

    Attributes:
        frame_id: Frame that all points are in.
        tool: Where the tool is, m; None where nobody tells it.
        velocity: Of the last action, m/s; None without one.
        kind: Who gave it: `deliberative`, `intuitive` or `queued`; `held` while the arm is not
            to move.
        lines: The text, line by line.
        workspace: Lower and upper corner of the box that the tool is kept in, m; None without.
        at_workspace: Whether the arm is held because it would leave the box.
    """

    frame_id: str
    tool: Point | None = None
    velocity: Point | None = None
    kind: str = HELD
    lines: tuple[str, ...] = ()
    workspace: tuple[Point, Point] | None = None
    at_workspace: bool = False


@dataclass(frozen=True)
class Shape:
    """One thing to draw.

    Attributes:
        name: One of `NAMES`.
        kind: A `text` at its one point, an `arrow` from the first point to the second, or
            `lines`, one a pair of points.
        points: In m.
        colour: Red, green, blue and opacity, 0 to 1.
        text: What a text says.
    """

    name: str
    kind: Literal['text', 'arrow', 'lines']
    points: tuple[Point, ...]
    colour: Colour
    text: str = ''


def shapes(scene: Scene, arrow_s: float) -> tuple[Shape, ...]:
    """Give what is to be drawn; what is not known is left out.

    Args:
        scene: What is known.
        arrow_s: The arrow ends where the velocity leads in so many seconds.
    """
    found = []
    if scene.lines:
        x, y, z = scene.tool or WITHOUT_TOOL
        above = TEXT_ABOVE_M if scene.tool else 0.0
        found.append(
            Shape('text', 'text', ((x, y, z + above),), WHITE, text='\n'.join(scene.lines))
        )
    if scene.tool and scene.velocity:
        way = [each * arrow_s for each in scene.velocity]
        if hypot(*way) >= SHORTEST_M:
            x, y, z = scene.tool
            end = (x + way[0], y + way[1], z + way[2])
            found.append(Shape('velocity', 'arrow', (scene.tool, end), COLOURS[scene.kind]))
    if scene.workspace:
        colour = COLOURS[HELD] if scene.at_workspace else FREE
        found.append(Shape('workspace', 'lines', edges(*scene.workspace), colour))
    return tuple(found)


def edges(low: Point, high: Point) -> tuple[Point, ...]:
    """Give the twelve edges of a box, two points each.

    Args:
        low: Its lower corner, m.
        high: Its upper corner, m.
    """
    found: list[Point] = []
    for axis in range(3):
        first, second = (each for each in range(3) if each != axis)
        for one, other in product((low, high), repeat=2):
            begin = [0.0, 0.0, 0.0]
            begin[axis], begin[first], begin[second] = low[axis], one[first], other[second]
            end = list(begin)
            end[axis] = high[axis]
            found += [(begin[0], begin[1], begin[2]), (end[0], end[1], end[2])]
    return tuple(found)
