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

"""What a report can show moment by moment: steps, pictures by index, films."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

import numpy as np


@dataclass(frozen=True)
class Camera:
    """One of the policy's cameras.

    Attributes:
        name: As the checkpoint or the topic calls it.
        rows: Visual tokens from top to bottom of a view, 0 where tokens are not known.
        columns: From left to right.
    """

    name: str
    rows: int = 0
    columns: int = 0


@dataclass(frozen=True, eq=False)
class Step:
    """One step of one method.

    Attributes:
        time_s: Since the episode began, seconds.
        kind: Who took it: 'intuitive', 'verified', 'deliberative', 'queued', 'bridged', ...
        reason: Why, a stable name.
        speed: Of the action, in the report's unit.
        keep_ratio: Share of the visual tokens that the decoder's last layer saw, 0 to 1; None
            without a call of the model.
        latency_ms: What the call took; None without one.
        error: Departure from what it is judged against, in the report's unit; None unless known.
        kept: For each camera int [n] the tokens kept, row * columns + column; empty where all
            were, or where the model was not called.
    """

    time_s: float
    kind: str
    reason: str = ''
    speed: float = math.nan
    keep_ratio: float | None = None
    latency_ms: float | None = None
    error: float | None = None
    kept: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class ShownTrace:
    """The steps of one method in one episode that are shown.

    Attributes:
        steps: In the order of their times.
        pictures: For each step the index of its picture in `Report.pictures`.
        outcome: What became of it, such as 'success' or 'failure'; may be empty.
    """

    steps: tuple[Step, ...]
    pictures: tuple[int, ...]
    outcome: str = ''

    def __post_init__(self) -> None:
        if len(self.steps) != len(self.pictures):
            raise ValueError(
                f'{len(self.steps)} steps and {len(self.pictures)} pictures, expected as many'
            )


@dataclass(frozen=True, eq=False)
class ShownEpisode:
    """One episode, with a trace of each method that went through it.

    Attributes:
        name: Such as 'seed 2000003' or 'episode 4'.
        instruction: What was asked.
        traces: By name of method. In a replay all share the pictures; in a closed loop each
            method has its own.
    """

    name: str
    instruction: str
    traces: Mapping[str, ShownTrace]


@dataclass(frozen=True, eq=False)
class Clip:
    """A short film, such as of a failure.

    Attributes:
        title: What it shows.
        caption: Instruction, seed, what went wrong.
        pictures: Indices in `Report.pictures`, in order.
        fps: Pictures a second.
    """

    title: str
    caption: str
    pictures: tuple[int, ...]
    fps: float = 20.0
