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

"""Measure the ridge step: the predictor alone, the scheduler's whole step, and scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
import gc
import sys
from time import perf_counter_ns

import numpy as np

from benchmarks.figures import Report, Row, summarise
from benchmarks.program import main
from vla_accel_ros.actions import Action, ActionChunk
from vla_accel_ros.evaluation.conditions import CpuMeter
from vla_accel_ros.scheduling.buffer import ActionBuffer
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.decision import Kind
from vla_accel_ros.scheduling.predictors import make_predictor
from vla_accel_ros.scheduling.scheduler import Scheduler

CAPACITY, BUFFERS, PENALTY = 6, 64, 1e-4
WARM_UP = 1000
BARS = {'p50': 5.0}


def buffers() -> list[ActionBuffer]:
    """Return full buffers of steady motion with noise: some predictions are clipped, some not."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(BUFFERS):
        buffer = ActionBuffer(CAPACITY)
        rows = 0.01 * rng.normal(size=7) + 0.002 * rng.normal(size=(CAPACITY, 7))
        for stamp, row in enumerate(rows):
            buffer.append(Action(row, stamp))
        made.append(buffer)
    return made


def timed(step: Callable[[int], object], calls: int) -> list[float]:
    """Return the microseconds of each call; `step` is given the number of the call."""
    for number in range(WARM_UP):
        step(number)
    samples = []
    gc.collect()
    gc.disable()
    for number in range(WARM_UP, WARM_UP + calls):
        begun = perf_counter_ns()
        step(number)
        samples.append((perf_counter_ns() - begun) / 1e3)
    gc.enable()
    return samples


def whole_steps(count: int) -> list[float]:
    """Return the microseconds of the scheduler's intuitive steps.

    That is gate, rule, prediction, buffer and decision. Steps that ask the VLA are answered in
    between and not counted.
    """
    scheduler = Scheduler(SchedulerConfig(rule='always', predictor='ridge', tau=0.2))
    scheduler.set_instruction('pick up the red cube')
    row = [0.005, 0.002, -0.003, 0.0, 0.0, 0.01, 0.0]
    stamp_ns, samples = 1_000_000_000, []
    gc.collect()
    gc.disable()
    while len(samples) < WARM_UP + count:
        stamp_ns += round(scheduler.config.policy_step_s * 1e9)
        begun = perf_counter_ns()
        decision = scheduler.on_frame(stamp_ns, begun)
        took_us = (perf_counter_ns() - begun) / 1e3
        if decision.kind is Kind.INTUITIVE:
            samples.append(took_us)
        elif decision.request is not None:
            scheduler.on_answer(ActionChunk([row], stamp_ns), begun)
    gc.enable()
    return samples[WARM_UP:]


def scikit_learn(filled: list[ActionBuffer]) -> Callable[[int], object] | None:
    """Return the same regression by scikit-learn, as SP-VLA's code does it; None without it."""
    try:
        from sklearn.linear_model import Ridge
    except ImportError:
        return None
    time = np.stack([np.arange(CAPACITY), np.ones(CAPACITY)], axis=1)
    following = np.array([[CAPACITY, 1.0]])
    values = [np.array(buffer.values[:, :6]) for buffer in filled]

    def step(number: int) -> np.ndarray:
        model = Ridge(alpha=PENALTY, fit_intercept=False)
        return model.fit(time, values[number % BUFFERS]).predict(following)

    return step


def measure(seconds: float = 10.0) -> Report:
    """Measure all three.

    Args:
        seconds: About how long; what counts is the number of calls.
    """
    meter = CpuMeter()
    calls = max(1000, round(seconds * 10_000))
    filled = buffers()
    ridge = make_predictor('ridge', penalty=PENALTY)
    rows: list[Row] = [
        summarise(
            f'ridge, {CAPACITY} actions of 7: the prediction, valid',
            'us',
            timed(lambda number: ridge.predict(filled[number % BUFFERS]), calls),
            BARS,
        ),
        summarise('the whole intuitive step of the scheduler', 'us', whole_steps(calls)),
    ]
    theirs = scikit_learn(filled)
    if theirs is not None:
        rows.append(
            summarise(
                'scikit-learn Ridge, fit and predict, 6 columns', 'us', timed(theirs, calls // 10)
            )
        )
    return Report(
        'ridge_step',
        f'python -m benchmarks.ridge_step --seconds {seconds:g}',
        tuple(rows),
        {'warm-up': f'{WARM_UP} calls', 'buffers': BUFFERS, 'ridge_penalty': PENALTY},
        {'cpu shares': meter.shares()},
    )


if __name__ == '__main__':
    sys.exit(main(measure, __doc__))
