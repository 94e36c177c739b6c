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

"""What became of one episode."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.evaluation.records import Call, StepRecord
from vla_accel_ros.scheduling.decision import Kind

TOOL = END_EFFECTOR.tool()
# Steps whose action an answer brought.
_OF_ANSWERS = (Kind.DELIBERATIVE.value, Kind.VERIFIED.value)


@dataclass(frozen=True, eq=False)
class EpisodeResult:
    """One episode of one method.

    Attributes:
        method: How the policy was run.
        seed: Of the start.
        instruction: What was asked.
        success: Whether it was done.
        records: One a policy step.
        actions: float64 [steps, 7], what was executed; it shows the episode again.
        jerk: float64 [n], of the tool, m/s^3; empty where its position is unknown.
        at_end: Whether it was done at the last step, in environments where an episode goes on
            after success; None where success ends it.
    """

    method: str
    seed: int
    instruction: str
    success: bool
    records: tuple[StepRecord, ...]
    actions: np.ndarray
    jerk: np.ndarray
    at_end: bool | None = None

    @property
    def steps(self) -> int:
        """Policy steps taken."""
        return len(self.records)

    @property
    def calls(self) -> list[Call]:
        """The calls of the model, in order."""
        return [record.call for record in self.records if record.call is not None]

    @property
    def model_ms(self) -> float:
        """Milliseconds of the model, of all calls."""
        return sum(call.model_ms for call in self.calls)

    @property
    def path(self) -> float:
        """Length of the commanded path of the tool, m: what the executed actions add up to."""
        return float(np.linalg.norm(self.actions[:, TOOL.translation], axis=1).sum())

    @property
    def seams(self) -> np.ndarray:
        """Steps between two chunks where the new one takes over, float64 [n], m.

        Each is how far the displacement of the answer's first action is from that of the action
        that was sent before it. Where nothing was sent just before there is no seam.
        """
        stamps = [record.stamp_ns for record in self.records]
        found = []
        for call in self.calls:
            step = bisect_right(stamps, call.stamp_ns + round(call.latency_ms * 1e6)) - 1
            if self.records[step].discarded is not None:
                continue
            if self.records[step].kind not in _OF_ANSWERS:
                # That step had its action already: the chunk begins with the next.
                step += 1
            both = [record.action for record in self.records[max(step - 1, 0) : step + 1]]
            if len(both) == 2 and both[0] is not None and both[1] is not None:
                found.append(np.linalg.norm((both[1] - both[0])[TOOL.translation]))
        return np.array(found)

    @property
    def decisions(self) -> Counter[str]:
        """Steps by kind of decision."""
        return Counter(record.kind for record in self.records)


def jerk(positions: Sequence[np.ndarray | None], step_s: float) -> np.ndarray:
    """Return the size of the third difference of positions over time, m/s^3.

    Args:
        positions: [3] in m, one a step; None where unknown.
        step_s: Seconds between them.

    Returns:
        float64 [n - 3], empty where there are too few or unknown ones.
    """
    if len(positions) < 4 or any(position is None for position in positions):
        return np.zeros(0)
    return np.linalg.norm(np.diff(np.array(positions), n=3, axis=0), axis=1) / step_s**3
