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

"""A bag of the nodes' topics as a LeRobot dataset."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vla_accel_ros.observations import Observation
from vla_accel_ros.replay.episodes import Splitter
from vla_accel_ros.replay.lerobot import layout
from vla_accel_ros.replay.lerobot.writer import DatasetWriter
from vla_accel_ros.replay.moment import Moment
from vla_accel_ros.replay.recorded import NS, Recorded
from vla_accel_ros.replay.stream import Stream

# What was done in a step may be recorded so much later than its frame.
LATE_NS = NS


@dataclass(frozen=True)
class Written:
    """What became of a bag.

    Attributes:
        episodes: Written.
        frames: Written.
        left_out: Frames that were not, by reason.
    """

    episodes: int
    frames: int
    left_out: Counter[str]


class Export:
    """Turns moments of a bag into frames of a dataset, one a policy step.

    A frame without a recorded action of its step is left out: nobody knows what was done then.
    So is one that comes sooner than a step after the last.

    Args:
        out: Where the dataset goes.
        step_s: Policy step, seconds.
        cameras: A name a camera, in the order of the observations' images.
        states: Names of the joint states; empty goes without.
        splitter: Says where episodes begin.
        recorded: Gathers what was done.
        video: Whether pictures become videos.
    """

    def __init__(
        self,
        out: Path,
        step_s: float,
        cameras: Sequence[str],
        states: Sequence[str],
        splitter: Splitter,
        recorded: Recorded,
        video: bool = False,
    ) -> None:
        self._video = video
        self._out, self._step_s, self._step_ns = out, step_s, round(step_s * NS)
        self._cameras, self._states = tuple(cameras), tuple(states)
        self._splitter, self._recorded = splitter, recorded
        self._waiting: deque[tuple[Observation, bool]] = deque()
        self._writer: DatasetWriter | None = None
        self._begun_ns, self._slot, self._ended = 0, -1, False
        self._left_out: Counter[str] = Counter()

    def run(self, stream: Stream, stop: Callable[[], bool]) -> Written:
        """Write the whole bag, or nothing.

        Raises:
            BagError: When there is no usable observation.
            DatasetError: When no frame has an action, or pictures change their size.
            InterruptedError: When it was to stop.
        """
        try:
            for moment in stream:
                if stop():
                    raise InterruptedError('interrupted: nothing was written')
                self._take(moment)
            if self._writer is None:
                raise layout.DatasetError(
                    f'not one of {sum(self._left_out.values())} frames has an action of its step, '
                    'expected a bag with vla/action or another --action-topic'
                )
        except BaseException as error:
            if self._writer is not None:
                self._writer.__exit__(type(error), error, None)
            raise
        self._writer.__exit__(None, None, None)
        episodes, frames = self._writer.totals
        return Written(episodes, frames, self._left_out)

    def _take(self, moment: Moment) -> None:
        seen = moment.observation
        begins = bool(seen and self._splitter.why(seen.stamp_ns, seen.instruction))
        for sample in moment.samples:
            self._recorded.take(sample)
        if begins or seen is None:
            self._settle(None)
        if seen is not None:
            self._waiting.append((seen, begins))
            self._settle(seen.stamp_ns - LATE_NS)

    def _settle(self, until_ns: int | None) -> None:
        """Write what waits from up to an instant; all of it where None."""
        while self._waiting and (until_ns is None or self._waiting[0][0].stamp_ns <= until_ns):
            seen, begins = self._waiting.popleft()
            if begins:
                self._ended, self._begun_ns, self._slot = True, seen.stamp_ns, -1
            slot = round((seen.stamp_ns - self._begun_ns) / self._step_ns)
            action = self._recorded.at(seen.stamp_ns)
            if slot <= self._slot:
                self._left_out['sooner than a step'] += 1
            elif not np.isfinite(action).all():
                self._left_out['no action of the step'] += 1
            else:
                self._slot = slot
                self._write(seen, action)
            self._recorded.forget(seen.stamp_ns)

    def _write(self, seen: Observation, action: np.ndarray) -> None:
        images = dict(zip(self._cameras, seen.images, strict=True))
        vectors = {layout.ACTION: action}
        space = self._recorded.space
        names = {layout.ACTION: space.names}
        if self._states:
            vectors[layout.STATE], names[layout.STATE] = seen.proprio, self._states
        if self._writer is None:
            shapes = {name: pixels.shape for name, pixels in images.items()}
            self._writer = DatasetWriter(
                self._out, 1 / self._step_s, shapes, names, video=self._video, space=space
            )
        elif self._ended:
            self._writer.end_episode()
        self._ended = False
        self._writer.frame(images, vectors, seen.instruction)
