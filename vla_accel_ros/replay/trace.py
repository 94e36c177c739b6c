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

"""What one method did in one episode, as columns: what is kept once the frames are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.evaluation.records import StepRecord

# Of a call, NaN where the step had none.
CALL = ('model_ms', 'latency_ms', 'keep', 'kept', 'flops', 'passes', 'accepted')
WORDS = ('kind', 'reason', 'source', 'discarded')


@dataclass(frozen=True, eq=False)
class Trace:
    """One method's steps.

    Attributes:
        actions: float64 [n, width], NaN where nothing was sent.
        words: Columns of str [n]: kind, reason, source, discarded ('' without).
        floats: Columns of float64 [n]: speed in m/s and angular_speed in rad/s, of joints the
            fastest, `took_ms` that the whole step took, and those of the call (`CALL`).
    """

    actions: np.ndarray
    words: Mapping[str, np.ndarray]
    floats: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.actions)

    @property
    def called(self) -> np.ndarray:
        """Which steps called the model, bool [n]."""
        return np.isfinite(self.floats['model_ms'])

    @classmethod
    def of(
        cls, records: Sequence[StepRecord], took_ms: Sequence[float], space: ActionSpace
    ) -> Trace:
        """Make columns of records.

        Args:
            records: One a step.
            took_ms: What each step took, milliseconds; NaN where it is not known.
            space: What the columns of actions are.
        """
        nothing = np.full(space.width, np.nan)
        actions = [nothing if r.action is None else r.action for r in records]
        floats = {
            'speed': [r.speed for r in records],
            'angular_speed': [r.angular_speed for r in records],
            'took_ms': list(took_ms),
        }
        for name in CALL:
            floats[name] = [np.nan if r.call is None else getattr(r.call, name) for r in records]
        return cls(
            np.array(actions, dtype=np.float64).reshape(-1, space.width),
            {
                name: np.array([getattr(r, name) or '' for r in records], dtype=np.str_)
                for name in WORDS
            },
            {name: np.array(values, dtype=np.float64) for name, values in floats.items()},
        )


@dataclass(frozen=True, eq=False)
class ReplayedEpisode:
    """One episode of a recording, with what each method did in it.

    Attributes:
        number: From 0.
        instruction: What was asked.
        reason: Why it begins, as `Splitter.why` says.
        stamps: int64 [n], capture stamps of its steps, nanoseconds.
        recorded: float64 [n, width], what was done in the recording, NaN where it is not known.
        traces: By name of method.
        observations: How many observations of the bag lie behind its end.
        frames: Frames that it had; more than steps where the camera is faster than the policy.
        faults: Faults of the bag up to its end, by name: how many, and the first in words.
        complete: Whether its end was reached.
    """

    number: int
    instruction: str
    reason: str
    stamps: np.ndarray
    recorded: np.ndarray
    traces: Mapping[str, Trace]
    observations: int
    frames: int
    faults: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    complete: bool = True

    def __len__(self) -> int:
        return len(self.stamps)

    @property
    def name(self) -> str:
        """What it is called in tables and pictures."""
        return f'episode {self.number + 1}'
