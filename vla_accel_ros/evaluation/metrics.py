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

"""Numbers that sum up a method's episodes, with their uncertainty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.statistics import bootstrap, paired_difference, wilson

# Of the unaccelerated policy, which all are compared with.
# Shares at which the times of calls are told; evenly spaced, for `latency.Recorded`.
SHARES = np.linspace(0, 1, 21)


def summarise(
    method: str,
    results: Sequence[EpisodeResult],
    baseline: Sequence[EpisodeResult] | None = None,
    kind_of: Callable[[str], str] | None = None,
) -> dict:
    """Sum up one method's episodes.

    Args:
        method: Its name.
        results: At least one episode.
        baseline: Episodes of the unaccelerated policy; compared where seeds are the same.
        kind_of: From an instruction to its kind, for success by kind.

    Returns:
        Plain values, as `docs/eval.md` has them; what has no value, such as the time per success
        without any, is None.

    Raises:
        ValueError: When there is no episode.
    """
    if not results:
        raise ValueError(f"method '{method}' has no episode, expected at least 1")
    steps, won = sum(r.steps for r in results), [r for r in results if r.success]
    decisions = sum((r.decisions for r in results), Counter())
    jerks = np.concatenate([r.jerk for r in results])
    seams = np.concatenate([r.seams for r in results])
    return {
        'method': method,
        **_share(r.success for r in results),
        'successes_at_end': sum(r.success if r.at_end is None else r.at_end for r in results),
        **_difference(results, baseline),
        'steps': steps,
        'steps_per_success': float(np.mean([r.steps for r in won])) if won else None,
        'path_per_success': float(np.mean([r.path for r in won])) if won else None,
        **_calls(results, steps, len(won)),
        'model_ms_per_success_ci': _interval(_cost(results), len(results)),
        **_gain(results, baseline),
        'jerk_p95': float(np.percentile(jerks, 95)) if len(jerks) else None,
        'seam_p95': float(np.percentile(seams, 95)) if len(seams) else None,
        'decisions': {k: n / steps for k, n in sorted(decisions.items())} if steps else {},
        'discarded': dict(
            sorted(
                Counter(
                    record.discarded
                    for r in results
                    for record in r.records
                    if record.discarded is not None
                ).items()
            )
        ),
        'by_kind': _by(results, kind_of) if kind_of else {},
        'by_instruction': _by(results, lambda text: text),
        'failed_seeds': [r.seed for r in results if not r.success],
    }


def _share(successes: Iterable[bool]) -> dict:
    found = list(successes)
    return {
        'success': sum(found) / len(found),
        'success_ci': list(wilson(sum(found), len(found))),
        'episodes': len(found),
        'successes': sum(found),
    }


def _by(results: Sequence[EpisodeResult], kind_of: Callable[[str], str]) -> dict:
    kinds = [kind_of(r.instruction) for r in results]
    return {
        kind: _share(r.success for r, k in zip(results, kinds, strict=True) if k == kind)
        for kind in sorted(set(kinds))
    }


def _calls(results: Sequence[EpisodeResult], steps: int, won: int) -> dict:
    calls = [call for r in results for call in r.calls]
    took = np.array([call.model_ms for call in calls])
    flops = sum(call.flops for call in calls)

    def mean(values: Iterable[float]) -> float | None:
        return float(np.mean(list(values))) if calls else None

    def quantiles(values: Sequence[float], shares) -> list[float] | None:
        return [round(q, 4) for q in np.quantile(values, shares).tolist()] if calls else None

    p50, p95, p99 = quantiles(took, [0.5, 0.95, 0.99]) or (None,) * 3
    late = quantiles([call.latency_ms for call in calls], [0.5, 0.95]) or (None,) * 2
    return {
        'model_calls': len(calls),
        'calls_per_step': len(calls) / steps if steps else 0.0,
        'model_ms_per_step': float(took.sum()) / steps if steps else 0.0,
        'model_ms_per_success': float(took.sum()) / won if won else None,
        'call_ms_p50': p50,
        'call_ms_p95': p95,
        'call_ms_p99': p99,
        'call_ms_quantiles': quantiles(took, SHARES),
        'latency_ms_p50': late[0],
        'latency_ms_p95': late[1],
        'tokens_kept': mean(call.kept for call in calls),
        'keep_ratio': mean(call.keep for call in calls),
        'pruning': {
            reason: count / len(calls)
            for reason, count in sorted(Counter(call.pruning for call in calls).items())
        },
        'passes_per_call': mean(call.passes for call in calls),
        'flow_steps_per_call': mean(call.flow_steps for call in calls),
        'accepted_per_call': mean(call.accepted for call in calls),
        'gflops_per_call': flops / len(calls) / 1e9 if calls else None,
        'gflops_per_step': flops / steps / 1e9 if steps else 0.0,
        'gflops_per_success': flops / won / 1e9 if won else None,
    }


def paired(
    results: Sequence[EpisodeResult], baseline: Sequence[EpisodeResult]
) -> list[tuple[EpisodeResult, EpisodeResult]]:
    """Return each episode with the baseline's of the same seed, where there is one."""
    theirs = {r.seed: r for r in baseline}
    return [(r, theirs[r.seed]) for r in results if r.seed in theirs]


def _difference(
    results: Sequence[EpisodeResult], baseline: Sequence[EpisodeResult] | None
) -> dict:
    pairs = paired(results, baseline or ())
    if not pairs:
        return {'difference': None, 'difference_ci': None}
    mine, other = ([r.success for r in side] for side in zip(*pairs, strict=True))
    return {
        'difference': (sum(mine) - sum(other)) / len(pairs),
        'difference_ci': list(paired_difference(mine, other)),
    }


def _gain(results: Sequence[EpisodeResult], baseline: Sequence[EpisodeResult] | None) -> dict:
    """Say how many times less model time a success takes than the baseline's."""
    pairs = paired(results, baseline or ())
    if not pairs:
        return {'gain': None, 'gain_ci': None}
    mine, other = (_cost(side) for side in zip(*pairs, strict=True))

    def gain(drawn: np.ndarray) -> np.ndarray:
        with np.errstate(divide='ignore', invalid='ignore'):
            return other(drawn) / mine(drawn)

    value = float(gain(np.arange(len(pairs))[None])[0])
    return {'gain': value if np.isfinite(value) else None, 'gain_ci': _interval(gain, len(pairs))}


def _cost(results: Sequence[EpisodeResult]) -> Callable[[np.ndarray], np.ndarray]:
    """Give a statistic for `bootstrap`: milliseconds of the model per success."""
    took = np.array([r.model_ms for r in results])
    won = np.array([r.success for r in results], dtype=float)

    def cost(drawn: np.ndarray) -> np.ndarray:
        with np.errstate(divide='ignore', invalid='ignore'):
            return took[drawn].sum(1) / won[drawn].sum(1)

    return cost


def _interval(statistic: Callable[[np.ndarray], np.ndarray], count: int) -> list[float] | None:
    found = bootstrap(statistic, count)
    return None if found is None else list(found)
