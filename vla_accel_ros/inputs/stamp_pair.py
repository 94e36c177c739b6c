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


"""Two messages that belong together by their stamps, whichever comes first."""

from __future__ import annotations

from typing import Generic, TypeVar

Left, Right = TypeVar('Left'), TypeVar('Right')


class StampPair(Generic[Left, Right]):
    """Put two messages together that carry the same stamp, whichever comes first.

    One of each kind waits at most: the sender makes one pair at a time, so a newer one means
    that the partner of the older was lost.

    Attributes:
        lost: How many messages were passed over without a partner.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.clear()

    def clear(self) -> None:
        """Forget what waits."""
        self._left: tuple[int, Left] | None = None
        self._right: tuple[int, Right] | None = None

    def left(self, stamp_ns: int, value: Left) -> tuple[Left, Right] | None:
        """Take a message of the first kind; return the pair that it completes."""
        self.lost += self._left is not None
        self._left = (stamp_ns, value)
        return self._match()

    def right(self, stamp_ns: int, value: Right) -> tuple[Left, Right] | None:
        """Take a message of the second kind; return the pair that it completes."""
        self.lost += self._right is not None
        self._right = (stamp_ns, value)
        return self._match()

    def _match(self) -> tuple[Left, Right] | None:
        if self._left is None or self._right is None or self._left[0] != self._right[0]:
            return None
        pair = self._left[1], self._right[1]
        self.clear()
        return pair
