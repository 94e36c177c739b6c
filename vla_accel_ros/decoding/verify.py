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

"""Draft and verify: where the draft is wrong it is corrected, the rest of it is kept."""

from __future__ import annotations

from collections.abc import Sequence

from vla_accel_ros.decoding.speculative import Speculative


class Verify(Speculative):
    """Verify a draft, and go on with its rest behind each correction.

    The numbers of an action hardly depend on one another, so one wrong number leaves the others
    worth verifying. With w wrong tokens before the last place it takes 1 + w passes; without a
    draft it is greedy decoding.
    """

    name = 'verify'

    def _again(
        self, draft: Sequence[int] | None, unsettled: list[int], start: int, count: int
    ) -> list[int]:
        return [] if draft is None else list(draft[start : count - 1])

    def _accepted(self, draft: Sequence[int] | None, answer: list[int]) -> int:
        # The tokens behind a correction were verified, too.
        return 0 if draft is None else sum(a == b for a, b in zip(draft, answer, strict=True))
