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

"""Jacobi decoding: the model's own choices, though made behind a wrong token, are proposed next.

Fixed-point iteration on the whole tail (Santilli et al., arXiv 2305.10427). Exact: a place is
settled only when everything before it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_accel_ros.decoding import RELAXED_BINS
from vla_accel_ros.decoding.speculative import Speculative


class Jacobi(Speculative):
    """Propose anew what the model chose, until it chooses it again.

    Without a draft it starts from blanks.
    """

    name = 'jacobi'

    def draft_in_prefill(self, draft: Sequence[int] | None, count: int, blank: int) -> list[int]:
        """Give the draft, or blanks, without the last token."""
        return (
            [blank] * (count - 1)
            if draft is None
            else super().draft_in_prefill(draft, count, blank)
        )

    def _again(
        self, draft: Sequence[int] | None, unsettled: list[int], start: int, count: int
    ) -> list[int]:
        return unsettled[: count - 1 - start]


class Relaxed(Jacobi):
    """Jacobi that stops when nothing moves by more than a few bins (ours).

    What is emitted are the model's own tokens, chosen behind inputs that are off by at most that
    much. With 0 bins it is Jacobi itself.

    Args:
        bins: Largest move that is taken for none.

    Raises:
        ValueError: When it is below 0.
    """

    name = 'relaxed'

    def __init__(self, bins: int = RELAXED_BINS) -> None:
        if bins < 0:
            raise ValueError(f'relaxed decoding by {bins} bins, expected 0 or more')
        self.tolerance = bins
