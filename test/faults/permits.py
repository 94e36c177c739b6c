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

"""When the arm was allowed to move, as the operator said; what every witness of an arm notes."""

from collections.abc import Callable
import math


class Permits:
    """Notes from when to when the arm may move.

    Args:
        now_ns: The clock of the notes.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._permits: list[list[float]] = []

    def permit(self) -> bool:
        """Take note that the operator is about to enable the arm; return whether it was not."""
        if self._permits and self._permits[-1][1] == math.inf:
            return False
        self._permits.append([self._now_ns(), math.inf])
        return True

    def forbid(self) -> None:
        """Take note that the arm is not enabled: from now on it may only be held."""
        if self._permits and self._permits[-1][1] == math.inf:
            self._permits[-1][1] = self._now_ns()
