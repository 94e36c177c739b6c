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

"""Ratios in words, and tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
import math
import shutil
import sys

LESS, FASTER = ('less', 'more'), ('faster', 'slower')
# Columns of text where nobody looks on.
WIDTH = 100


def against(
    ratio: float | None,
    interval: Sequence[float] | None = None,
    words: tuple[str, str] = LESS,
    between: str = ' to ',
) -> str:
    """Say how many times less something is, such as '3.14x less (2.90 to 3.40)'.

    Where it is more it says so, '1.35x more', instead of a ratio below one.

    Args:
        ratio: What it is compared with over what it is; None where that is not known.
        interval: Its lower and upper end; None where there is none.
        words: For a ratio above one and below.
        between: The two ends.
    """
    if ratio is None or not math.isfinite(ratio) or ratio <= 0:
        return '-'
    text = _side(ratio, words)
    if interval is None or not all(math.isfinite(end) and end > 0 for end in interval):
        return text
    ends = sorted(interval, reverse=ratio < 1)
    sides = {end >= 1 for end in ends} | {ratio >= 1}
    if len(sides) == 1:
        said = [_times(end) for end in ends]
    else:
        said = [_side(end, words) for end in ends]
    return f'{text} ({between.join(said)})'


def _times(ratio: float) -> str:
    return f'{max(ratio, 1 / ratio):.2f}'


def _side(ratio: float, words: tuple[str, str]) -> str:
    times = _times(ratio)
    return 'the same' if times == '1.00' else f'{times}x {words[0 if ratio > 1 else 1]}'


def columns(
    rows: Sequence[Sequence[str]],
    right: bool = False,
    kept: int = 1,
    line: bool = True,
    width: int | None = None,
) -> str:
    """Lay out a table; what is too wide goes on below, with its first columns again.

    Args:
        rows: Cells as text, the headings first.
        right: Whether all but the first columns are set to the right.
        kept: How many first columns say which row it is.
        line: Whether a line goes below the headings.
        width: Of the page, characters; the terminal's where None.
    """
    width = width or terminal_width()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head = sum(widths[:kept]) + 2 * (kept - 1)
    bounds, used = [kept], head
    for place in range(kept, len(widths)):
        if place > bounds[-1] and used + 2 + widths[place] > width:
            bounds.append(place)
            used = head
        used += 2 + widths[place]
    parts = []
    for first, last in pairwise([*bounds, len(widths)]):
        chosen = [*range(kept), *range(first, last)]
        lines = [
            '  '.join(
                row[i].rjust(widths[i]) if right and i >= kept else row[i].ljust(widths[i])
                for i in chosen
            ).rstrip()
            for row in rows
        ]
        if line:
            lines.insert(1, '-' * min(max(map(len, lines)), width))
        parts.append('\n'.join(lines))
    return '\n\n'.join(parts)


def terminal_width() -> int:
    """Return how many characters fit a line, where somebody looks on; else a fixed number."""
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH
