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

"""What a replay measures of a method: one table of quantities, each with how it is pooled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.replay import departure
from vla_accel_ros.replay.trace import ReplayedEpisode, Trace
from vla_accel_ros.report.data import Measure

RECORDED, REFERENCE = 'recorded', 'reference'
GROUPS = {
    RECORDED: 'Against the recorded actions',
    REFERENCE: 'Against the unaccelerated policy on the same frames',
}
KINDS = ('intuitive', 'verified', 'deliberative', 'queued', 'bridged', 'waiting')
WINDOWS_S = (1, 5)


@dataclass(frozen=True, eq=False)
class View:
    """One method in one episode, beside what it is compared with.

    Attributes:
        trace: What it did.
        others: float64 [n, 7] by what is compared with, NaN where not known.
        step_s: Policy step, seconds.
    """

    trace: Trace
    others: dict[str, np.ndarray]
    step_s: float


@dataclass(frozen=True)
class Quantity:
    """One number that is measured.

    Attributes:
        measure: What it is called.
        of: Its values in an episode, float64 [any]; NaN ones do not count.
        pool: How all values become one number: as `pooling.estimate` takes it.
    """

    measure: Measure
    of: Callable[[View], np.ndarray]
    pool: str = 'mean'


def view(episode: ReplayedEpisode, method: str, reference: str, step_s: float) -> View:
    """Return one method's part in an episode."""
    others = {RECORDED: episode.recorded, REFERENCE: episode.traces[reference].actions}
    return View(episode.traces[method], others, step_s)


def quantities() -> tuple[Quantity, ...]:
    """Return all that is measured, in the order of the tables."""
    return (*_departures(REFERENCE), *_departures(RECORDED), *_decisions(), *_costs())


def _departures(other: str) -> Iterable[Quantity]:
    group = GROUPS[other]

    def pair(function, *arguments):
        return lambda v: function(v.trace.actions, v.others[other], *arguments)

    far, turned = pair(departure.translation_mm), pair(departure.rotation_deg)
    note = 'length of the difference of the displacements of a step, where both are known'
    yield Quantity(
        Measure(
            f'{other}_translation_mm', 'translation error', 'mm', group, 'lower', 2, True, note
        ),
        far,
    )
    yield Quantity(
        Measure(f'{other}_translation_mm_p95', 'translation error, p95', 'mm', group, 'lower', 2),
        far,
        'p95',
    )
    yield Quantity(
        Measure(
            f'{other}_translation_mm_max', 'translation error, largest', 'mm', group, 'lower', 2
        ),
        far,
        'max',
    )
    yield Quantity(
        Measure(
            f'{other}_rotation_deg',
            'rotation error',
            '°',
            group,
            'lower',
            2,
            False,
            'angle between the rotations of a step',
        ),
        turned,
    )
    yield Quantity(
        Measure(f'{other}_rotation_deg_p95', 'rotation error, p95', '°', group, 'lower', 2),
        turned,
        'p95',
    )
    yield Quantity(
        Measure(f'{other}_rotation_deg_max', 'rotation error, largest', '°', group, 'lower', 2),
        turned,
        'max',
    )
    yield Quantity(
        Measure(
            f'{other}_gripper_agreement',
            'gripper agreement',
            '%',
            group,
            'higher',
            1,
            other == REFERENCE,
            'steps on which both are open or both closed',
        ),
        lambda v: 100 * pair(departure.gripper_agrees)(v),
    )
    late = pair(departure.transition_frames)
    yield Quantity(
        Measure(
            f'{other}_gripper_timing',
            'gripper transitions, off by',
            'frames',
            group,
            'lower',
            1,
            False,
            f'how many steps early or late, of those found within {departure.REACH}',
        ),
        lambda v: np.abs(late(v)),
    )
    yield Quantity(
        Measure(
            f'{other}_gripper_missed',
            'gripper transitions missed',
            '%',
            group,
            'lower',
            1,
            False,
            f'not found within {departure.REACH} steps',
        ),
        lambda v: 100.0 * np.isnan(late(v)),
    )
    for seconds in WINDOWS_S:
        drift = _drift(other, seconds)
        note = f'how far apart both end after every {seconds} s of an episode'
        yield Quantity(
            Measure(
                f'{other}_drift_{seconds}s_mm',
                f'drift over {seconds} s',
                'mm',
                group,
                'lower',
                1,
                other == REFERENCE and seconds == 1,
                note,
            ),
            drift,
        )
        yield Quantity(
            Measure(
                f'{other}_drift_{seconds}s_mm_p95',
                f'drift over {seconds} s, p95',
                'mm',
                group,
                'lower',
                1,
            ),
            drift,
            'p95',
        )


def _drift(other: str, seconds: float) -> Callable[[View], np.ndarray]:
    return lambda v: departure.drift_mm(
        v.trace.actions, v.others[other], max(1, round(seconds / v.step_s))
    )


def _decisions() -> Iterable[Quantity]:
    for kind in KINDS:
        yield Quantity(
            Measure(f'share_{kind}', kind, '%', 'Who took the steps', '', 1),
            lambda v, kind=kind: 100.0 * (v.trace.words['kind'] == kind),
        )
    yield Quantity(
        Measure(
            'share_without_action',
            'without an action',
            '%',
            'Who took the steps',
            'lower',
            1,
            False,
            'the arm stands still',
        ),
        lambda v: 100.0 * np.isnan(v.trace.actions).all(axis=1),
    )


def _costs() -> Iterable[Quantity]:
    group = 'Cost'

    def each(name: str, scale: float = 1.0):
        return lambda v: np.where(v.trace.called, scale * v.trace.floats[name], 0.0)

    def calls(name: str, scale: float = 1.0):
        return lambda v: scale * v.trace.floats[name][v.trace.called]

    yield Quantity(
        Measure('calls', 'model calls a step', '', group, 'lower', 2, True),
        lambda v: v.trace.called.astype(np.float64),
    )
    yield Quantity(
        Measure(
            'model_ms',
            'model time a step',
            'ms',
            group,
            'lower',
            1,
            True,
            'of all calls, over all steps',
        ),
        each('model_ms'),
    )
    for percent in (50, 95, 99):
        yield Quantity(
            Measure(
                f'call_ms_p{percent}', f'model time a call, p{percent}', 'ms', group, 'lower', 1
            ),
            calls('model_ms'),
            f'p{percent}',
        )
    yield Quantity(
        Measure(
            'tokens_kept',
            'visual tokens kept',
            '%',
            group,
            '',
            1,
            True,
            'of each call, as the last layer of the decoder saw them',
        ),
        calls('keep', 100),
    )
    yield Quantity(
        Measure('gflops', 'GFLOPs a step', '', group, 'lower', 3, False, 'by the cost model'),
        each('flops', 1e-9),
    )
    yield Quantity(
        Measure('passes', 'decoder passes a call', '', group, 'lower', 2), calls('passes')
    )
    yield Quantity(
        Measure(
            'effective_hz',
            'effective rate',
            'Hz',
            group,
            'higher',
            1,
            True,
            'steps by the time that scheduler and model took for them',
        ),
        lambda v: 1e-3 * v.trace.floats['took_ms'],
        'rate',
    )
