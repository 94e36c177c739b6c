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

"""What the report page of an evaluation shows of each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.report.data import Bound, Estimate, Measure, MethodRow

OUTCOME, TIME, WORK = 'Outcome', 'Model time', 'Work'
QUALITY, COST = 'success', 'model_ms_per_success'
# Of a difference to the unaccelerated policy: this many points less are no loss to speak of.
MARGIN = -3.0

MEASURES = (
    Measure(QUALITY, 'success', '%', OUTCOME, 'higher', 1, True, "Wilson's interval."),
    Measure(
        'difference',
        'success more than none',
        'points',
        OUTCOME,
        'higher',
        1,
        True,
        "Of the same seeds; Tango's interval for paired shares.",
    ),
    Measure('steps_per_success', 'steps of a success', '', OUTCOME, 'lower', 1),
    Measure(
        'path_per_success',
        'commanded path of a success',
        'm',
        OUTCOME,
        'lower',
        3,
        False,
        'What the executed actions add up to.',
    ),
    Measure(
        'jerk_p95',
        'jerk of the tool, p95',
        'm/s³',
        OUTCOME,
        'lower',
        0,
        False,
        'Third difference of its position over policy steps.',
    ),
    Measure(
        'seam_p95',
        'seam between chunks, p95',
        'm',
        OUTCOME,
        'lower',
        4,
        False,
        "Change of a step's displacement where a new chunk takes over in motion.",
    ),
    Measure(
        COST,
        'model time of a success',
        'ms',
        TIME,
        'lower',
        0,
        True,
        'Time of all calls, in failures too, over successes; bootstrap over episodes.',
    ),
    Measure(
        'gain',
        'times less than none',
        'x',
        TIME,
        'higher',
        2,
        True,
        'Bootstrap over the same seeds.',
    ),
    Measure('model_ms_per_step', 'a step', 'ms', TIME, 'lower', 2),
    Measure('call_ms_p50', 'a call, p50', 'ms', TIME, 'lower', 2),
    Measure('call_ms_p95', 'a call, p95', 'ms', TIME, 'lower', 2),
    Measure('latency_ms_p95', 'latency on the clock, p95', 'ms', TIME, 'lower', 1),
    Measure('calls_per_step', 'calls a step', '', WORK, 'lower', 2),
    Measure(
        'keep_ratio',
        'tokens kept',
        '%',
        WORK,
        '',
        0,
        False,
        "Visual tokens that the decoder's last layer saw.",
    ),
    Measure('passes_per_call', 'passes a call', '', WORK, 'lower', 2),
    Measure('flow_steps_per_call', 'steps of the flow a call', '', WORK, 'lower', 1),
    Measure('accepted_per_call', 'draft tokens confirmed a call', '', WORK, 'higher', 2),
    Measure(
        'gflops_per_step',
        'operations a step',
        'GFLOP',
        WORK,
        'lower',
        3,
        False,
        'By the cost model, choosing tokens included.',
    ),
)
BOUNDS = (Bound('difference', MARGIN),)
_FACTORS = {QUALITY: 100, 'difference': 100, 'keep_ratio': 100}


def row_of(summary: Mapping, results: Sequence[EpisodeResult]) -> MethodRow:
    """Return a method's row of its summary and its episodes."""
    values = {}
    for measure in MEASURES:
        value, factor = summary[measure.key], _FACTORS.get(measure.key, 1)
        if value is not None:
            ends = summary.get(f'{measure.key}_ci') or ()
            values[measure.key] = Estimate(factor * value, *(factor * end for end in ends))
    settings = dict(summary['settings'])
    pruning = settings.pop('pruning_parameters')
    return MethodRow(
        summary['method'],
        summary['summary'],
        values,
        summary['decisions'],
        [call.model_ms for result in results for call in result.calls],
        {**settings, **{f'{settings["pruning"]}.{k}': v for k, v in pruning.items()}},
    )
