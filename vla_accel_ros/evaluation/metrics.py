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

"""Numbers that sum up episodes, with their uncertainty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.evaluation.records import Call, StepRecord
from vla_accel_ros.evaluation.statistics import wilson


@dataclass(frozen=True, eq=False)
class EpisodeResult:
    """What became of one episode.

    Attributes:
        method: How the policy was run.
        seed: Of the start.
        instruction: What was asked.
        success: Whether it was done.
        records: One a policy step.
        actions: float64 [steps, 7], what was executed; it shows the episode again.
        jerk: float64 [n], of the tool, m/s^3; empty where its position is unknown.
    """

    method: str
    seed: int
    instruction: str
    success: bool
    records: tuple[StepRecord, ...]
    actions: np.ndarray
    jerk: np.ndarray

    @property
    def steps(self) -> int:
        """Policy steps taken."""
        return len(self.records)

    @property
    def calls(self) -> list[Call]:
        """The calls of the model, in order."""
        return [record.call for record in self.records if record.call is not None]

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


def summarise(method: str, results: Sequence[EpisodeResult]) -> dict:
    """Sum up one method's episodes.

    Args:
        method: Its name.
        results: At least one episode.

    Returns:
        Plain values: success and its interval `success_ci`, episodes, steps (mean, and of the
        successful ones), model calls, model time in ms (a step, a success, p50 and p95 of a
        call), share of each kind of decision, success by instruction. What has no value, such
        as the time per success without any, is None.

    Raises:
        ValueError: When there is no episode.
    """
    if not results:
        raise ValueError(f"method '{method}' has no episode, expected at least 1")
    won = [r for r in results if r.success]
    calls = np.array([call.model_ms for r in results for call in r.calls])
    steps = sum(r.steps for r in results)
    decisions: Counter[str] = Counter()
    for result in results:
        decisions.update(result.decisions)
    by_instruction = {}
    for text in sorted({r.instruction for r in results}):
        mine = [r.success for r in results if r.instruction == text]
        by_instruction[text] = {'episodes': len(mine), 'successes': sum(mine)}
    return {
        'method': method,
        'success': len(won) / len(results),
        'success_ci': list(wilson(len(won), len(results))),
        'episodes': len(results),
        'successes': len(won),
        'steps': steps,
        'steps_per_success': float(np.mean([r.steps for r in won])) if won else None,
        'model_calls': len(calls),
        'calls_per_step': len(calls) / steps if steps else 0.0,
        'model_ms_per_step': float(calls.sum()) / steps if steps else 0.0,
        'model_ms_per_success': float(calls.sum()) / len(won) if won else None,
        'call_ms_p50': float(np.percentile(calls, 50)) if len(calls) else None,
        'call_ms_p95': float(np.percentile(calls, 95)) if len(calls) else None,
        'decisions': {k: n / steps for k, n in sorted(decisions.items())} if steps else {},
        'by_instruction': by_instruction,
        'failed_seeds': [r.seed for r in results if not r.success],
    }
