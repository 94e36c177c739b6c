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

from collections.abc import Iterable

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.replay.errors import departures, speeds
from vla_accel_ros.replay.quantity import RECORDED, REFERENCE, Quantity, View
from vla_accel_ros.replay.trace import ReplayedEpisode
from vla_accel_ros.report.data import Measure

KINDS = ('intuitive', 'verified', 'deliberative', 'queued', 'bridged', 'waiting')


def view(
    episode: ReplayedEpisode, method: str, reference: str, step_s: float, space: ActionSpace
) -> View:
    """Return one method's part in an episode."""
    others = {RECORDED: episode.recorded, REFERENCE: episode.traces[reference].actions}
    return View(episode.traces[method], others, step_s, space)


def quantities(space: ActionSpace) -> tuple[Quantity, ...]:
    """Return all that is measured of actions of a space, in the order of the tables."""
    return (
        *departures(REFERENCE, space),
        *departures(RECORDED, space),
        *speeds(space),
        *_decisions(),
        *_costs(),
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
