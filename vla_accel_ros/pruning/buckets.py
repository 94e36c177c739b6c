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


"""Kept counts come in buckets, one graph or engine each."""

from __future__ import annotations

from math import ceil

from vla_accel_ros.pruning.parameters import BUCKETS

REFERENCE_TOKENS = 256


class Buckets:
    """Round kept counts up.

    Args:
        tokens: Visual tokens of one camera.
        cameras: Cameras.
        sizes: Counts a camera of 256 tokens may keep; scaled to `tokens`, rounded up.
        enabled: False lets every count pass.

    Raises:
        ValueError: When a count is not positive.
    """

    def __init__(
        self, tokens: int, cameras: int = 1, sizes: tuple[int, ...] = BUCKETS, enabled: bool = True
    ) -> None:
        if tokens < 1 or cameras < 1:
            raise ValueError(f'{tokens} tokens of {cameras} cameras, expected at least 1 of each')
        scaled = {min(tokens, ceil(size * tokens / REFERENCE_TOKENS)) for size in sizes}
        self.sizes = tuple(sorted({*scaled, tokens}))
        self.tokens, self.cameras, self.enabled = tokens, cameras, enabled

    def up(self, count: int) -> int:
        """Round the kept count of all cameras together up to a multiple of the cameras."""
        if not self.enabled:
            return max(1, min(count, self.tokens * self.cameras))
        return self.cameras * self.up_camera(ceil(count / self.cameras))

    def up_camera(self, count: int) -> int:
        """Round the kept count of one camera up; at least 1, at most all of its tokens."""
        count = max(1, min(count, self.tokens))
        return next(s for s in self.sizes if s >= count) if self.enabled else count
