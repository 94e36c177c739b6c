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

"""Which rows of a model's sequence are which, and which of them the last layer is run for.

Rows are counted from the sequence's end, so that drops of visual tokens do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vla_accel_ros.pruning.interface import Needs, Rows

Slices = Mapping[Rows, slice]


def prompt_rows(text: int, drafted: int = 0, words: slice | None = None) -> Slices:
    """Say which rows are which in the prompt of a model that answers token by token.

    Args:
        text: Prompt tokens after the visual ones.
        drafted: Draft tokens that ride behind the prompt; they count for no score.
        words: Those of the text that say what to do, counted from its first; all if None.
    """
    end = -drafted or None
    return {
        Rows.ALL: slice(None, end),
        Rows.TEXT: _from_end(words or slice(None), text, drafted),
        Rows.LAST: slice(-1 - drafted, end),
    }


def _from_end(part: slice, count: int, behind: int) -> slice:
    begin, end, _ = part.indices(count)
    return slice(begin - count - behind, (end - count - behind) or None)


def chunk_rows(text: int, slots: int) -> Slices:
    """Say which rows of a single-pass model's sequence are which.

    Args:
        text: Prompt tokens after the visual ones.
        slots: Action slots, which stand between prompt and stop token. A number is read from
            the row before its slot, so that the first one's query is the last prompt token.
    """
    last = -2 - slots
    return {
        Rows.ALL: slice(None, last + 1),
        Rows.TEXT: slice(last + 1 - text, last + 1),
        Rows.LAST: slice(last, last + 1),
        Rows.ACTION: slice(last, -2),
    }


def wanted_rows(length: int, rows: Slices, kinds: Iterable[Rows], read: int | None) -> int:
    """Say how many of a sequence's last rows are wanted behind the last layer.

    Args:
        length: Rows of the sequence.
        rows: Which are which.
        kinds: Those whose scores are made from the last layer.
        read: Last rows that a head reads; None for all.
    """
    begins = [rows[kind].indices(length)[0] for kind in kinds]
    return max(length if read is None else read, *(length - begin for begin in begins), 0)


def kinds_at(needs: Needs, layer: int, decoded_here: bool = True) -> tuple[Rows, ...]:
    """Give the rows of a layer, counted from 1, that scores are made from in the prefill.

    While an action is decoded, its first token's row is the last one of the prompt. Where rows of
    another network stand for actions, it is not.
    """
    decoded = (Rows.LAST,) if decoded_here and layer in needs.decode else ()
    return (*needs.layers.get(layer, ()), *decoded)
