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

"""The shapes: where they stand, and that what is not known is not drawn."""

from itertools import combinations
from math import dist

import pytest

from vla_accel_ros.nodes.markers_shapes import (
    COLOURS,
    FREE,
    HELD,
    INTUITIVE,
    TEXT_ABOVE_M,
    WITHOUT_TOOL,
    Scene,
    edges,
    shapes,
)

LOW, HIGH = (0.2, -0.4, 0.0), (0.8, 0.4, 0.5)


def drawn(**values):
    return {each.name: each for each in shapes(Scene('base_link', **values), arrow_s=2.0)}


def test_nothing_is_drawn_of_what_is_not_known():
    assert drawn() == {}
    assert drawn(velocity=(0.1, 0.0, 0.0)) == {}
    assert drawn(tool=(0.1, 0.2, 0.3), velocity=(0.0, 0.0, 0.0)) == {}


def test_the_text_stands_above_the_tool_or_above_the_base():
    text = drawn(tool=(0.5, 0.1, 0.2), lines=('queued: next', 'arm may move'))['text']
    assert text.points == ((0.5, 0.1, pytest.approx(0.2 + TEXT_ABOVE_M)),)
    assert text.text == 'queued: next\narm may move'
    assert drawn(lines=('no decision',))['text'].points == (WITHOUT_TOOL,)


@pytest.mark.parametrize('kind', COLOURS)
def test_the_arrow_leads_where_the_velocity_leads_in_the_colour_of_who_gave_it(kind):
    arrow = drawn(tool=(0.5, 0.0, 0.2), velocity=(0.1, 0.0, -0.05), kind=kind)['velocity']
    assert arrow.points[0] == (0.5, 0.0, 0.2)
    assert arrow.points[1] == pytest.approx((0.7, 0.0, 0.1))
    assert arrow.colour == COLOURS[kind]


def test_every_kind_has_a_colour_of_its_own():
    for one, other in combinations([*COLOURS.values(), FREE], 2):
        assert dist(one, other) > 0.3


def test_the_box_is_red_only_while_the_arm_is_held_at_it():
    free = drawn(workspace=(LOW, HIGH), kind=HELD)['workspace']
    held = drawn(workspace=(LOW, HIGH), kind=INTUITIVE, at_workspace=True)['workspace']
    assert free.points == held.points == edges(LOW, HIGH)
    assert (free.colour, held.colour) == (FREE, COLOURS[HELD])


def test_a_box_has_its_twelve_edges_each_once():
    points = edges(LOW, HIGH)
    pairs = {frozenset(pair) for pair in zip(points[::2], points[1::2], strict=True)}
    assert len(points) == 24 and len(pairs) == 12
    assert len(set(points)) == 8
    for one, other in pairs:
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 1
