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

"""The clocks of an evaluation, as the command line names them."""

from __future__ import annotations

from collections.abc import Sequence
import json
from pathlib import Path

from vla_accel_ros.acceleration import Method
from vla_accel_ros.evaluation.latency import Fixed, Latency, Measured, Recorded

STEP, REAL = CLOCKS = ('step', 'real')


def latencies(
    clock: str, given: str | None, methods: Sequence[Method]
) -> tuple[Latency | None, ...]:
    """Return the latency model of each method.

    Args:
        clock: `step`, on which the world waits, or `real`, on which it goes on.
        given: Milliseconds of every call, or the JSON report of an evaluation on the step clock,
            whose calls are drawn from; None takes what each call takes.
        methods: What is compared.

    Raises:
        ValueError: When the clock has no latencies, or none can be read for a method.
        OSError: When there is no such file.
    """
    if clock == STEP:
        if given is not None:
            raise ValueError('--latency-ms is for --clock real: on the step clock the world waits')
        return (None,) * len(methods)
    if given is None:
        return (Measured(),) * len(methods)
    try:
        value = float(given)
    except ValueError:
        return _recorded(Path(given), methods)
    return (Fixed(value),) * len(methods)


def _recorded(file: Path, methods: Sequence[Method]) -> tuple[Latency, ...]:
    if not file.is_file():
        raise ValueError(
            f"--latency-ms is '{file}', expected milliseconds or the JSON report of an evaluation"
        )
    try:
        held = {
            row['method']: [float(ms) for ms in row['call_ms_quantiles'] or ()]
            for row in json.loads(file.read_text(encoding='utf-8'))['methods']
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{file} is no report of an evaluation: {error!r}') from None
    missing = [method.name for method in methods if not held.get(method.name)]
    if missing:
        raise ValueError(
            f'{file} has no calls of {missing[0]!r}, only of: {", ".join(held) or "none"}'
        )
    return tuple(Recorded(held[method.name]) for method in methods)
