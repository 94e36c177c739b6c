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

import torch

from vla_accel_ros.bench.bars import Bar, bars
from vla_accel_ros.bench.cases import Case, scheduled
from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.bench.floor import Floor, Rates
from vla_accel_ros.bench.plain import ATTENTION
from vla_accel_ros.bench.subjects import Subject
from vla_accel_ros.bench.summary import Line, line
from vla_accel_ros.evaluation import conditions

FORMAT = 2


def answers_hold(lines: Sequence[Line], dtype: torch.dtype) -> bool:
    """Say whether every line answered as it must.

    In less than float32 rounding differs with the number of tokens that pass together, and may
    turn the order of two tokens that are equally likely; it is shown, but not held against it.
    """
    return dtype != torch.float32 or all(
        one.same is None or one.same == one.rounds for one in lines
    )


def make(
    subject: Subject,
    samples: Mapping[Case, Sequence[Sample]],
    rates: Rates,
    shares: Mapping[str, float],
    settings: Mapping[str, Any],
    complete: bool,
) -> dict[str, Any]:
    """Sum up a run.

    Args:
        subject: The model.
        samples: From `rounds.measure`, at least one a case.
        rates: The device's.
        shares: Of the processors, from `conditions.CpuMeter`.
        settings: What else is to be told: command, rounds, warm-up, seed.
        complete: Whether all rounds were run.

    Returns:
        What `json` can write; `docs/bench.md` says what each entry is.
    """
    model = subject.model
    weight = model.language_model.lm_head.weight
    floor = Floor(model.config, rates, weight.element_size())
    lines = [line(samples, case, floor) for case in samples]
    return {
        'kind': 'vla-accel bench',
        'format': FORMAT,
        'date': conditions.today(),
        **settings,
        'versions': conditions.versions(),
        'machine': conditions.machine(),
        'device': str(model.device),
        'dtype': str(model.dtype).removeprefix('torch.'),
        'threads': torch.get_num_threads(),
        'attention': ATTENTION,
        'processors': dict(shares),
        'model': subject.about(),
        'floor': {
            'copy_gb_s': rates.copy / 1e9,
            'matrix_gflop_s': rates.matrix / 1e9,
            'copied_mb': rates.bytes / 1e6,
        },
        'lines': [asdict(one) for one in lines],
        'bars': [_plain(bar) for bar in bars(lines)],
        'answers_hold': answers_hold(lines, model.dtype),
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
