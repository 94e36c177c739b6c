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
from dataclasses import dataclass, field
import math

import numpy as np


@dataclass(frozen=True)
class EpisodeResult:
    """What became of one episode.

    Attributes:
        method: How the policy was run.
        seed: Of the start.
        instruction: What was asked.
        success: Whether it was done.
        steps: Policy steps taken.
        call_ms: Milliseconds of each call of the model.
        decisions: Steps by kind of decision.
    """

    method: str
    seed: int
    instruction: str
    success: bool
    steps: int
    call_ms: tuple[float, ...]
    decisions: dict[str, int] = field(default_factory=dict)


def wilson(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's score interval of a share (Wilson 1927), 95 % unless told otherwise.

    Raises:
        ValueError: When there is no trial, or the successes are not among them.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f'{successes} of {trials}: expected 0 <= successes <= trials > 0')
    share, square = successes / trials, z * z / trials
    middle = share + square / 2
    spread = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    low, high = (middle - spread) / (1 + square), (middle + spread) / (1 + square)
    # At the ends the bound is exact; arithmetic would miss it by a rounding.
    return low if successes else 0.0, high if successes < trials else 1.0


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
    calls = np.array([ms for r in results for ms in r.call_ms])
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
