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

"""From samples to rows: percentiles, and ratios to the unpruned model round by round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from vla_accel_ros.acceleration import BASELINE
from vla_accel_ros.bench.cases import Case
from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.bench.floor import Floor
from vla_accel_ros.bench.names import EAGER
from vla_accel_ros.models.stopwatch import STAGES

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
class Row:
    """One case's results.

    Attributes:
        engine: As `--engines` has it.
        method: As `--methods` has it, `--keep` written into it; or the plain baseline.
        decoder: The decoder's name.
        name: The whole case, unique among those of an engine.
        decoding: Decoder and draft, in words.
        pruner: Its pruning method, or the plain baseline.
        keep: Keep ratio asked for, None for the pruning method's own count.
        parameters: The pruning method's parameters that are not at their defaults.
        rounds: Answers that count.
        kept: Visual tokens that the decoder's last layer saw, mean.
        pruning: Answers by why tokens were kept.
        passes: Passes of the language model, mean.
        accepted: Tokens of the draft that were confirmed, mean.
        total: Percentiles of whole answers.
        stages: Percentiles by stage.
        floor: Least milliseconds on this device by stage, and in `total`.
        eager_gain: Times that eager takes longer, unpruned and decoding greedily.
        total_gain: Times that the same engine takes longer, unpruned and decoding greedily.
        prefill_gain: Times that its unpruned prefill takes longer than prefill and selection.
        prefill_saved_ms: Milliseconds of prefill saved, selection apart.
        selection_share: Selection over the prefill saved; None where nothing was saved.
        same: Answers equal to `same_as`'s; None where there is nothing to be equal to.
        same_as: The case that it must answer like.
        as_eager: Answers equal to those of eager by the same case; None for eager, and where
            it was not measured.
    """

    engine: str
    method: str
    decoder: str
    name: str
    decoding: str
    pruner: str
    keep: float | None
    parameters: Mapping[str, Any]
    rounds: int
    kept: float
    pruning: Mapping[str, int]
    passes: float
    accepted: float
    total: Percentiles
    stages: Mapping[str, Percentiles]
    floor: Mapping[str, float]
    eager_gain: float | None = None
    total_gain: float | None = None
    prefill_gain: float | None = None
    prefill_saved_ms: float | None = None
    selection_share: float | None = None
    same: int | None = None
    same_as: str | None = None
    as_eager: int | None = None

    def plain(self) -> dict[str, Any]:
        """Give it as plain values; percentiles of whole answers are `total_ms_p50` and so on."""
        found = asdict(self)
        total = {f'total_ms_{name}': value for name, value in found.pop('total').items()}
        found['stages_ms'], found['floor_ms'] = found.pop('stages'), found.pop('floor')
        first = ('engine', 'method', 'decoder')
        return {**{name: found[name] for name in first}, **total, **found}


Samples = Mapping[Case, Sequence[Sample]]


def unpruned(samples: Samples, like: Case) -> Case | None:
    """Give the same engine's unpruned case with the same decoder, or with greedy decoding."""
    plain = [case for case in samples if case.pruner == BASELINE and case.engine == like.engine]
    alike = [case for case in plain if case.decoding == like.decoding]
    return next(iter([*alike, *(case for case in plain if case.greedy)]), None)


def unaccelerated(samples: Samples, engine: str) -> Case | None:
    """Give an engine's case that neither prunes nor drafts."""
    return next(
        (
            case
            for case in samples
            if case.pruner == BASELINE and case.greedy and case.engine == engine
        ),
        None,
    )


def must_equal(samples: Samples, case: Case) -> Case | None:
    """Give the case whose answers a case has to repeat exactly; None where there is none.

    Greedy, verified and Jacobi's answers are the same by construction, with the same tokens
    kept; the plain baseline's are the unpruned model's.
    """
    from vla_accel_ros.decoding.registry import EXACT

    if case.method is None:
        return unpruned(samples, case)
    if case.greedy or case.method.decoder not in EXACT:
        return None
    return next(
        (
            one
            for one in samples
            if one.greedy and one.pruning == case.pruning and one.engine == case.engine
        ),
        None,
    )


def _equal(one: Sample, other: Sample) -> bool:
    if len(one.tokens) or len(other.tokens):
        return np.array_equal(one.tokens, other.tokens)
    return np.allclose(one.values, other.values, rtol=0, atol=CLOSE)


def _mean(samples: Sequence[Sample], number: Callable[[Sample], float]) -> float:
    return float(np.mean([number(sample) for sample in samples]))


def _median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    return float(np.median(np.divide(over, under)))


def row(samples: Samples, case: Case, floor: Floor) -> Row:
    """Sum up a case.

    Args:
        samples: Of all cases, at least one each and as many, in the order of the rounds.
        case: The case.
        floor: The device's.
    """
    mine = samples[case]
    base, own = unpruned(samples, case), unaccelerated(samples, case.engine)
    eager = unaccelerated(samples, EAGER)
    gains: dict[str, Any] = {}
    for name, other in (('eager_gain', eager), ('total_gain', own)):
        if other is not None and other != case:
            gains[name] = _median_ratio(
                [s.ms['total'] for s in samples[other]], [s.ms['total'] for s in mine]
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
    twin = next(
        (
            one
            for one in samples
            if one.engine == EAGER and replace(one, engine=case.engine) == case
        ),
        None,
    )
    if twin is not None and twin != case:
        gains['as_eager'] = sum(map(_equal, mine, samples[twin]))
    return Row(
        engine=case.engine,
        method=case.name if case.method is None else case.asked or case.method.name,
        decoder=case.decoder,
        name=case.name,
        decoding=case.decoding,
        pruner=case.pruner,
        keep=case.keep,
        parameters=case.parameters,
        rounds=len(mine),
        kept=_mean(mine, lambda s: s.work.visual[-1]),
        pruning=dict(Counter(s.pruning for s in mine)),
        passes=_mean(mine, lambda s: s.passes),
        accepted=_mean(mine, lambda s: s.accepted),
        total=Percentiles.of([s.ms['total'] for s in mine]),
        stages={name: Percentiles.of([s.ms[name] for s in mine]) for name in STAGES},
        floor=floor.ms(mine),
        **gains,
    )
