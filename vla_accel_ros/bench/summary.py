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

"""From samples to lines: percentiles, and ratios to the unpruned model round by round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vla_accel_ros.acceleration import BASELINE
from vla_accel_ros.bench.cases import Case
from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.bench.floor import Floor
from vla_accel_ros.bench.names import PLAIN
from vla_accel_ros.models.stopwatch import STAGES

TIMES = (*STAGES, 'total')
# Numbers of an answer that was regressed in float32 differ by rounding alone.
CLOSE = 1e-4


@dataclass(frozen=True)
class Percentiles:
    """Of a stage's milliseconds."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Percentiles:
        """Take the percentiles of values.

        Raises:
            ValueError: When there are none.
        """
        if not len(values):
            raise ValueError('no value to take percentiles of')
        return cls(*(float(p) for p in np.percentile(values, [50, 95, 99])))


@dataclass(frozen=True)
class Line:
    """One case's results.

    Attributes:
        name: The case's, unique.
        method: As `--methods` has it, or the plain baseline.
        pruner: Its pruning method, or the plain baseline.
        keep: Keep ratio asked for, None for the pruning method's own count.
        parameters: The pruning method's parameters that are not at their defaults.
        decoder: Decoder and draft.
        rounds: Answers that count.
        kept: Visual tokens that the decoder's last layer saw, mean.
        pruning: Answers by why tokens were kept.
        passes: Passes of the language model, mean.
        accepted: Tokens of the draft that were confirmed, mean.
        ms: Percentiles by stage, and in `total`.
        floor_ms: Least milliseconds on this device by stage, and in `total`.
        total_gain: Times that the unpruned model decoding greedily takes longer.
        prefill_gain: Times that its prefill takes longer than prefill and selection together.
        prefill_saved_ms: Milliseconds of prefill saved, selection apart.
        selection_share: Selection over the prefill saved; None where nothing was saved.
        same: Answers equal to `same_as`'s; None where there is nothing to be equal to.
        same_as: The case that it must answer like.
    """

    name: str
    method: str
    pruner: str
    keep: float | None
    parameters: Mapping[str, Any]
    decoder: str
    rounds: int
    kept: float
    pruning: Mapping[str, int]
    passes: float
    accepted: float
    ms: Mapping[str, Percentiles]
    floor_ms: Mapping[str, float]
    total_gain: float | None = None
    prefill_gain: float | None = None
    prefill_saved_ms: float | None = None
    selection_share: float | None = None
    same: int | None = None
    same_as: str | None = None


Samples = Mapping[Case, Sequence[Sample]]


def unpruned(samples: Samples, like: Case | None = None) -> Case | None:
    """Give the unpruned case with the same decoder, or with greedy decoding, or none."""
    plain = [case for case in samples if case.pruner == BASELINE]
    alike = [case for case in plain if like is not None and case.decoding == like.decoding]
    return next(iter([*alike, *(case for case in plain if case.greedy)]), None)


def must_equal(samples: Samples, case: Case) -> Case | None:
    """Give the case whose answers a case has to repeat exactly; None where there is none.

    Greedy, verified and Jacobi's answers are the same by construction, with the same tokens
    kept; the plain baseline's are the unpruned model's.
    """
    from vla_accel_ros.decoding.registry import EXACT

    if case.method is None:
        return unpruned(samples)
    if case.greedy or case.method.decoder not in EXACT:
        return None
    return next((one for one in samples if one.greedy and one.pruning == case.pruning), None)


def _equal(one: Sample, other: Sample) -> bool:
    if len(one.tokens) or len(other.tokens):
        return np.array_equal(one.tokens, other.tokens)
    return np.allclose(one.values, other.values, rtol=0, atol=CLOSE)


def _mean(samples: Sequence[Sample], number: Callable[[Sample], float]) -> float:
    return float(np.mean([number(sample) for sample in samples]))


def _median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    return float(np.median(np.divide(over, under)))


def line(samples: Samples, case: Case, floor: Floor) -> Line:
    """Sum up a case.

    Args:
        samples: Of all cases, at least one each and as many, in the order of the rounds.
        case: The case.
        floor: The device's.
    """
    mine = samples[case]
    base, greedy = unpruned(samples, case), unpruned(samples)
    gains: dict[str, Any] = {}
    if greedy is not None and greedy != case:
        gains['total_gain'] = _median_ratio(
            [s.ms['total'] for s in samples[greedy]], [s.ms['total'] for s in mine]
        )
    if base is not None and base.pruning != case.pruning:
        before = [s.ms['prefill'] for s in samples[base]]
        after = [s.ms['prefill'] for s in mine]
        chosen = [s.ms['selection'] for s in mine]
        gains['prefill_gain'] = _median_ratio(before, np.add(after, chosen))
        saved = float(np.median(np.subtract(before, after)))
        gains['prefill_saved_ms'] = saved
        if case.method is not None and saved > 0:
            gains['selection_share'] = float(np.median(chosen)) / saved
    like = must_equal(samples, case)
    if like is not None:
        gains['same'] = sum(map(_equal, mine, samples[like]))
        gains['same_as'] = like.name
    return Line(
        name=case.name,
        method=PLAIN if case.method is None else case.method.name,
        pruner=case.pruner,
        keep=case.keep,
        parameters=case.parameters,
        decoder=case.decoding,
        rounds=len(mine),
        kept=_mean(mine, lambda s: s.work.visual[-1]),
        pruning=dict(Counter(s.pruning for s in mine)),
        passes=_mean(mine, lambda s: s.passes),
        accepted=_mean(mine, lambda s: s.accepted),
        ms={name: Percentiles.of([s.ms[name] for s in mine]) for name in TIMES},
        floor_ms=floor.ms(mine),
        **gains,
    )
