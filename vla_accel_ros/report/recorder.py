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

"""Moments on disk while a recording is gone through, and as many pictures as a page can hold.

Pictures are chosen as they come, whatever the length: every k-th frame, with k doubled when there
are too many, and beside them the frames on which some method departed the most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import sqlite3

import numpy as np

from vla_accel_ros.report import masks
from vla_accel_ros.report.moments import Camera, ShownEpisode, ShownTrace, Step
from vla_accel_ros.report.pictures import encode_views

MOST = 600
# Frames of the largest errors beside the evenly spread ones, as a share of these.
_EXTREMES = 10
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value INTEGER);
CREATE TABLE IF NOT EXISTS episodes (episode INTEGER PRIMARY KEY, name TEXT UNIQUE, task TEXT);
CREATE TABLE IF NOT EXISTS pictures (frame INTEGER, camera INTEGER, jpeg BLOB,
    PRIMARY KEY (frame, camera)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS steps (frame INTEGER, method TEXT, episode INTEGER, time REAL,
    kind TEXT, reason TEXT, speed REAL, keep REAL, latency REAL, error REAL, kept TEXT,
    PRIMARY KEY (frame, method)) WITHOUT ROWID;
"""


class _Base(sqlite3.Connection):
    """A database whose errors, such as a disk that is full, name its file."""

    file = Path()

    def execute(self, *arguments):
        with _naming(self.file):
            return super().execute(*arguments)

    def executemany(self, *arguments):
        with _naming(self.file):
            return super().executemany(*arguments)

    def commit(self) -> None:
        with _naming(self.file):
            super().commit()


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f'{file} cannot be written: {error}') from error


@dataclass(frozen=True, eq=False)
class Shown:
    """What a page shows of a recording; the fields of `Report` of the same names."""

    pictures: tuple[tuple[bytes, ...], ...]
    episodes: tuple[ShownEpisode, ...]
    sampling: str


class Recorder:
    """Keeps the steps of every frame in one file, and pictures of a bounded number of frames.

    Memory does not grow with the recording. A file that is there is gone on with: what was added
    up to the last `commit` counts. Frames may come again, for the next method.

    Args:
        file: The database; made when it is not there.
        cameras: In the order of the images.
        most: Evenly spread frames that are shown at most; a tenth more for the largest errors.
    """

    def __init__(self, file: Path, cameras: Sequence[Camera], most: int = MOST) -> None:
        if most < 1:
            raise ValueError(f'at most {most} frames, expected at least 1')
        self._cameras, self._most = tuple(cameras), most
        with _naming(file):
            self._base = sqlite3.connect(file, factory=_Base)
            self._base.file = file
            self._begin()

    def _begin(self) -> None:
        # What a crash of the machine loses can be recorded again; waiting for the disk can not.
        self._base.executescript('PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;' + _SCHEMA)
        about = dict(self._base.execute('SELECT name, value FROM about'))
        self._stride, self._frames = about.get('stride', 1), about.get('frames', 0)
        self._held = dict(
            self._base.execute(
                'SELECT frame, COALESCE((SELECT MAX(error) FROM steps WHERE steps.frame = '
                'pictures.frame), 0) FROM pictures WHERE camera = 0'
            )
        )
        self._pending: tuple[int, Sequence[np.ndarray]] | None = None

    def add_frame(self, frame: int, images: Sequence[np.ndarray]) -> None:
        """Add what the cameras saw; its steps come next.

        Args:
            frame: Its number in the recording, from 0.
            images: uint8 [h, w, 3] RGB, one a camera, as the model sees the views.
        """
        if len(images) != len(self._cameras):
            raise ValueError(
                f'frame {frame} has {len(images)} views, expected {len(self._cameras)}'
            )
        self._frames = max(self._frames, frame + 1)
        self._pending = (frame, images)
        if frame % self._stride == 0:
            self._keep_picture(frame, 0.0)

    def add_step(
        self, frame: int, method: str, step: Step, episode: str, instruction: str = ''
    ) -> None:
        """Add what one method did on a frame.

        Args:
            frame: Its number; the one added last, if it is to be shown for its error.
            method: Name of the method.
            step: What it did.
            episode: Name of the episode that the frame is of.
            instruction: What was asked.
        """
        kept = ','.join(bits.hex() for bits in masks.pack(step.kept, self._cameras))
        self._base.execute(
            'INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
            (
                frame,
                method,
                self._episode(episode, instruction),
                step.time_s,
                step.kind,
                step.reason,
                step.speed,
                step.keep_ratio,
                step.latency_ms,
                step.error,
                kept,
            ),
        )
        if step.error is not None and self._pending and self._pending[0] == frame:
            self._keep_picture(frame, step.error)

    def commit(self) -> None:
        """Make what was added so far outlast this process."""
        for name, value in (('stride', self._stride), ('frames', self._frames)):
            self._base.execute('INSERT OR REPLACE INTO about VALUES (?, ?)', (name, value))
        self._base.commit()

    def close(self) -> None:
        """Commit and close the file."""
        try:
            self.commit()
        finally:
            self._base.close()

    def shown(self) -> Shown:
        """Return the moments that a page shows; more may be added afterwards."""
        frames = sorted(self._held)
        place = {frame: index for index, frame in enumerate(frames)}
        return Shown(
            tuple(self._jpegs(frame) for frame in frames),
            tuple(self._episodes(place)),
            self._sampling(),
        )

    def _sampling(self) -> str:
        if self._frames <= len(self._held):
            return ''
        return (
            f'{len(self._held)} of {self._frames} frames are shown: 1 in {self._stride}, and '
            'those on which a method departed the most. Every other figure is of all frames.'
        )

    def _jpegs(self, frame: int) -> tuple[bytes, ...]:
        rows = self._base.execute(
            'SELECT jpeg FROM pictures WHERE frame = ? ORDER BY camera', (frame,)
        )
        return tuple(row[0] for row in rows)

    def _episodes(self, place: dict[int, int]) -> Iterator[ShownEpisode]:
        for number, name, task in self._base.execute('SELECT * FROM episodes').fetchall():
            traces: dict[str, list[tuple[int, Step]]] = {}
            rows = self._base.execute(
                'SELECT * FROM steps WHERE episode = ? AND frame IN (SELECT frame FROM pictures) '
                'ORDER BY frame',
                (number,),
            )
            for frame, method, _, time, kind, reason, speed, keep, latency, error, kept in rows:
                bits = [bytes.fromhex(text) for text in kept.split(',')] if kept else []
                # SQLite keeps a NaN as NULL.
                speed = np.nan if speed is None else speed
                step = Step(time, kind, reason, speed, keep, latency, error, masks.unpack(bits))
                traces.setdefault(method, []).append((place[frame], step))
            if traces:
                yield ShownEpisode(
                    name,
                    task,
                    {
                        method: ShownTrace(
                            tuple(step for _, step in pairs), tuple(p for p, _ in pairs)
                        )
                        for method, pairs in traces.items()
                    },
                )

    def _episode(self, name: str, task: str) -> int:
        self._base.execute(
            'INSERT INTO episodes (name, task) VALUES (?, ?) ON CONFLICT (name) DO UPDATE '
            "SET task = excluded.task WHERE excluded.task != ''",
            (name, task),
        )
        return self._base.execute(
            'SELECT episode FROM episodes WHERE name = ?', (name,)
        ).fetchone()[0]

    def _extremes(self) -> list[int]:
        """Return the frames held for their error only, the smallest error first."""
        return sorted((f for f in self._held if f % self._stride), key=self._held.__getitem__)

    def _keep_picture(self, frame: int, error: float) -> None:
        if frame not in self._held:
            extremes = self._extremes() if frame % self._stride else []
            full = len(extremes) >= max(1, self._most // _EXTREMES)
            if full and error <= self._held[extremes[0]]:
                return
            self._base.executemany(
                'INSERT INTO pictures VALUES (?, ?, ?)',
                [
                    (frame, camera, jpeg)
                    for camera, jpeg in enumerate(encode_views(self._pending[1]))
                ],
            )
        self._held[frame] = max(error, self._held.get(frame, 0.0))
        while len(self._held) - len(self._extremes()) > self._most:
            self._stride *= 2
        for extra in self._extremes()[: -max(1, self._most // _EXTREMES)]:
            del self._held[extra]
            self._base.execute('DELETE FROM pictures WHERE frame = ?', (extra,))
