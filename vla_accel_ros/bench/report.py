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

"""A run as plain values: what was measured, on what, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vla_accel_ros.bench.bars import Bar, bars
from vla_accel_ros.bench.cases import Case, scheduled
from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.bench.floor import Floor
from vla_accel_ros.bench.names import EAGER
from vla_accel_ros.bench.plain import ATTENTION
from vla_accel_ros.bench.plans import plans
from vla_accel_ros.bench.summary import Row, row
from vla_accel_ros.bench.turns import Facts, settings
from vla_accel_ros.engines.device import Rates
from vla_accel_ros.engines.planner import Costs
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.models.planned import sizes_of
from vla_accel_ros.models.token_costs import counted

FORMAT = 3


def answers_hold(rows: Sequence[Row], dtype: str) -> bool:
    """Say whether every row of the eager engine answered as it must.

    Other engines round in another order, so that two tokens that are equally likely may change
    places; whether they agree with eager is for `vla-accel verify` to say. In less than float32
    rounding differs with the number of tokens that pass together. Both are shown, but not held
    against the run.
    """
    return dtype != 'float32' or all(
        one.same is None or one.same == one.rounds for one in rows if one.engine == EAGER
    )


def make(
    facts: Sequence[Facts],
    memory: Sequence[int],
    samples: Mapping[Case, Sequence[Sample]],
    rates: Rates,
    costs: Mapping[str, Costs],
    shares: Mapping[str, float],
    told: Mapping[str, Any],
    complete: bool,
) -> dict[str, Any]:
    """Sum up a run.

    Args:
        facts: Of each engine.
        memory: Bytes that each one took at most.
        samples: From `rounds.measure`, at least one a case.
        rates: The device's.
        costs: By engine, of what depends on visual tokens.
        shares: Of the processors, from `conditions.CpuMeter`.
        told: What else is to be told: command, rounds, warm-up, seed.
        complete: Whether all rounds were run.

    Returns:
        What `json` can write; `docs/bench.md` says what each entry is.
    """
    model = facts[0]
    floor = Floor(model.config, rates, model.weight_bytes)
    promised = counted(model.config, rates, model.weight_bytes, sizes_of(model.config))
    rows = [row(samples, case, floor) for case in samples]
    return {
        'kind': 'vla-accel bench',
        'format': FORMAT,
        'date': conditions.today(),
        **told,
        'versions': conditions.versions(),
        'machine': conditions.machine(),
        'device': model.device,
        'dtype': model.dtype,
        'threads': model.threads,
        'attention': ATTENTION,
        'processors': dict(shares),
        'model': model.about,
        'engines': [settings(*one) for one in zip(facts, memory, strict=True)],
        'floor': {
            'copy_gb_s': rates.copy / 1e9,
            'matrix_gflop_s': rates.matrix / 1e9,
            'copied_mb': rates.bytes / 1e6,
            'launch_us': rates.launch * 1e6,
        },
        'rows': [one.plain() for one in rows],
        'planner': plans(samples, costs, promised, model.config),
        'bars': [_plain(bar) for bar in bars(rows)],
        'answers_hold': answers_hold(rows, model.dtype),
        'notes': notes(samples),
        'complete': complete,
    }


def notes(cases: Iterable[Case]) -> list[str]:
    """Return what a reader must know of the methods."""
    named = ', '.join(scheduled(cases))
    if not named:
        return []
    return [f'Single calls are measured, which scheduling does not change; left out of: {named}.']


def _plain(bar: Bar) -> dict[str, Any]:
    return {**asdict(bar), 'holds': bar.holds}
