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

"""The chunk queue: what is left of the VLA's last answer."""

from __future__ import annotations

from collections import deque

import numpy as np

from vla_accel_ros.actions import ActionChunk, Source
from vla_accel_ros.scheduling.ensemble import Ensemble
from vla_accel_ros.scheduling.seam import Seam, largest_changes

# Chunks begin as they are.
OPEN = Seam()


class ChunkQueue:
    """Rows of the newest chunk that no step has executed yet.

    A new chunk replaces the old one whole, less the rows whose steps were already commanded
    while it was being computed. Counting what was commanded, not the time that went by, is what
    keeps the seam between two chunks free of jumps.

    With an ensemble the rows are means of what the last chunks say. It smooths the seam itself.

    Attributes:
        ensemble: What averages chunks, None where the newest one alone counts.
    """

    def __init__(self) -> None:
        self.ensemble: Ensemble | None = None
        self._rows: deque[np.ndarray] = deque()
        self._stamp_ns = 0
        self._source = Source.VLA
        self._inside: tuple[float, ...] | None = None
        self._executed = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def executed(self) -> int:
        """Rows of the chunk whose steps are over, those that came before it took over counted."""
        return self._executed

    @property
    def rows(self) -> list[np.ndarray]:
        """The rows that are left, float64 [width] each, the next one first."""
        return list(self._rows)

    @property
    def stamp_ns(self) -> int:
        """Capture stamp of the observation that the rows answer, nanoseconds."""
        return self._stamp_ns

    @property
    def source(self) -> Source:
        """What produced the rows."""
        return self._source

    def replace(
        self,
        chunk: ActionChunk,
        consumed: int,
        last: np.ndarray | None = None,
        seam: Seam = OPEN,
        sent: int = 0,
    ) -> int:
        """Put a chunk in the place of the old one.

        A chunk of a single row (autoregressive OpenVLA) is a velocity rather than a path: its
        row is kept however much was commanded meanwhile, for otherwise a policy slower than
        its step would be bridged for ever and never act.

        Args:
            chunk: The answer.
            consumed: Actions commanded since the observation that it answers, at least 0.
            last: The action that the first row follows without a pause, None without one.
            seam: How the chunk follows on it, where the last one was of several rows, too.
            sent: Actions commanded until now, by which chunks of an ensemble are aligned.

        Returns:
            How many rows are left to execute.

        Raises:
            ValueError: When `consumed` is negative.
        """
        if consumed < 0:
            raise ValueError(f'consumed is {consumed}, expected at least 0')
        drop = 0 if len(chunk) == 1 else consumed
        rows, inside = chunk.values[drop:], None
        if self.ensemble is not None:
            self.ensemble.add(chunk.values, sent - drop)
            rows = self.ensemble.rows(sent)
        elif len(chunk) > 1:
            space = chunk.space
            inside = largest_changes(chunk.values, space)
            if last is not None and self._inside is not None:
                both = [max(new, old) for new, old in zip(inside, self._inside, strict=True)]
                rows = seam.joined(last, rows, both, space)
        self._rows, self._inside, self._executed = deque(rows), inside, drop
        self._stamp_ns = chunk.stamp_ns
        self._source = chunk.source
        return len(self._rows)

    def average_by(self, ensemble: Ensemble | None) -> None:
        """Choose what averages chunks from the next one on; the same again changes nothing."""
        if ensemble != self.ensemble:
            self.ensemble = ensemble

    def expire(self, stamp_ns: int, longest_s: float) -> bool:
        """Drop rows whose observation is too old.

        Args:
            stamp_ns: Now, as a capture stamp, nanoseconds.
            longest_s: How old an observation may be.

        Returns:
            Whether there were such rows.
        """
        expired = bool(self._rows) and (stamp_ns - self._stamp_ns) * 1e-9 > longest_s
        if expired:
            self.clear()
        return expired

    def pop(self) -> np.ndarray:
        """Take the next row, float64 [width].

        Raises:
            IndexError: When the queue is empty.
        """
        row = self._rows.popleft()
        self._executed += 1
        return row

    def drop_rows(self) -> None:
        """Drop what is left of the chunk; the next one still follows on it."""
        self._rows.clear()

    def clear(self) -> None:
        """Forget every row, and that there was a chunk to follow on."""
        self._rows.clear()
        self._inside, self._executed = None, 0
        if self.ensemble is not None:
            self.ensemble.clear()
