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

"""Which frames of several cameras belong together: those of about the same capture stamp."""

from __future__ import annotations

from collections import Counter, deque
from typing import NamedTuple

NS = 1_000_000_000


class FrameSet(NamedTuple):
    """Frames that belong together, one a camera.

    Attributes:
        stamp_ns: The oldest of their capture stamps, nanoseconds.
        frames: Whatever was added, in the cameras' order.
    """

    stamp_ns: int
    frames: tuple


class FramePairer:
    """Puts together the frames of several cameras, newest first.

    Each frame is used at most once, sets come in the order of their stamps, and a frame that
    was passed over is dropped and counted.

    Args:
        cameras: How many cameras there are.
        tolerance_ns: Largest difference of the stamps within a set, nanoseconds.
        depth: Frames a camera that wait for their partners.
        restart_ns: A stamp further back than this is a clock that began anew.

    Raises:
        ValueError: When there is no camera or the tolerance is negative.

    Attributes:
        counts: `unpaired` frames that were passed over, `out_of_order` ones refused.
    """

    def __init__(
        self, cameras: int, tolerance_ns: int, depth: int = 8, restart_ns: int = NS
    ) -> None:
        if cameras < 1 or tolerance_ns < 0:
            raise ValueError(
                f'{cameras} cameras within {tolerance_ns} ns, expected at least 1 and 0 ns'
            )
        self.tolerance_ns = tolerance_ns
        self.counts: Counter[str] = Counter()
        self._restart_ns = restart_ns
        self._waiting = [deque(maxlen=depth) for _ in range(cameras)]
        self._newest: list[int | None] = [None] * cameras

    def reset(self) -> None:
        """Forget every frame and stamp."""
        for waiting in self._waiting:
            waiting.clear()
        self._newest = [None] * len(self._newest)

    def add(self, camera: int, stamp_ns: int, frame: object) -> FrameSet | None:
        """Add a frame and return the set that it completes, if any.

        Args:
            camera: Its index.
            stamp_ns: Its capture stamp, nanoseconds.
            frame: Anything; handed back in the set.
        """
        newest = self._newest[camera]
        if newest is not None and stamp_ns < newest - self._restart_ns:
            self.counts['unpaired'] += sum(map(len, self._waiting))
            self.reset()
        elif newest is not None and stamp_ns <= newest:
            self.counts['out_of_order'] += 1
            return None
        self._newest[camera] = stamp_ns
        waiting = self._waiting[camera]
        if len(waiting) == waiting.maxlen:
            self.counts['unpaired'] += 1
        waiting.append((stamp_ns, frame))
        chosen = [
            min(frames, key=lambda f: abs(f[0] - stamp_ns), default=None)
            for frames in self._waiting
        ]
        if None in chosen:
            return None
        stamps = [stamp for stamp, _ in chosen]
        if max(stamps) - min(stamps) > self.tolerance_ns:
            return None
        for frames, (stamp, _) in zip(self._waiting, chosen, strict=True):
            while frames and frames[0][0] <= stamp:
                self.counts['unpaired'] += frames.popleft()[0] < stamp
        return FrameSet(min(stamps), tuple(frame for _, frame in chosen))


def age_fault(stamp_ns: int, now_ns: int, max_age_ns: int, max_future_ns: int) -> str:
    """Tell what is wrong with a capture stamp, empty when nothing is.

    Args:
        stamp_ns: The stamp, nanoseconds.
        now_ns: The present on the same clock.
        max_age_ns: Older frames are `stale_frame`.
        max_future_ns: Frames further ahead are `future_frame`.

    Returns:
        `unstamped_frame`, `stale_frame`, `future_frame` or ''.
    """
    if stamp_ns <= 0:
        return 'unstamped_frame'
    if now_ns - stamp_ns > max_age_ns:
        return 'stale_frame'
    return 'future_frame' if stamp_ns - now_ns > max_future_ns else ''
