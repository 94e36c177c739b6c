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

"""What is measured of how far actions depart, and how fast they are: as their space has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.replay import departure
from vla_accel_ros.replay.quantity import RECORDED, REFERENCE, Quantity, View
from vla_accel_ros.report.data import Measure

GROUPS = {
    RECORDED: 'Against the recorded actions',
    REFERENCE: 'Against the unaccelerated policy on the same frames',
}
WINDOWS_S = (1, 5)
Pairwise = Callable[[np.ndarray, np.ndarray, ActionSpace], np.ndarray]
# What departs in a step; a space without its columns has no such measure. The key of a measure
# begins with what is compared with.
STEPWISE = (
    (
        departure.translation_mm,
        departure.lengths,
        Measure(
            'translation_mm',
            'translation error',
            'mm',
            digits=2,
            note='length of the difference of the displacements of a step, where both are known',
        ),
    ),
    (
        departure.rotation_deg,
        departure.turns,
        Measure(
            'rotation_deg',
            'rotation error',
            '°',
            digits=2,
            note='angle between the rotations of a step',
        ),
    ),
    (
        departure.joint_rad,
        departure.joints,
        Measure(
            'joint_rad',
            'joint error',
            'rad',
            digits=4,
            note='difference of the joint that departs most in a step, where both are known',
        ),
    ),
)


def main_error(space: ActionSpace) -> tuple[Pairwise, str]:
    """Return what tells best how far an action departs, and the key of its measure."""
    if departure.joints(space):
        return departure.joint_rad, 'joint_rad'
    return departure.translation_mm, 'translation_mm'


def drift_unit(space: ActionSpace) -> str:
    """Return the unit in which that adds up, as the keys of drifts end."""
    return 'rad' if departure.joints(space) else 'mm'


def speed_unit(space: ActionSpace) -> str:
    """Return the unit of the speed that tells best how fast an action is."""
    return 'rad/s' if departure.joints(space) else 'm/s'


def departures(other: str, space: ActionSpace) -> Iterable[Quantity]:
    """Yield how far actions are from what they are compared with."""
    group = GROUPS[other]

    def pair(function, *arguments):
        return lambda v: function(v.trace.actions, v.others[other], space, *arguments)

    for function, parts, like in STEPWISE:
        if not parts(space):
            continue
        measure = replace(
            like,
            key=f'{other}_{like.key}',
            group=group,
            better='lower',
            headline=like.key == main_error(space)[1],
        )
        yield Quantity(measure, pair(function))
        for pool, words in (('p95', 'p95'), ('max', 'largest')):
            yield Quantity(_pooled(measure, pool, words), pair(function), pool)
    if len(space.grippers):
        yield from _grippers(other, pair)
    for function, unit, title, digits, parts in (
        (departure.drift_mm, 'mm', 'drift', 1, departure.lengths(space)),
        (departure.drift_rad, 'rad', 'joint drift', 4, departure.joints(space)),
    ):
        if parts:
            main = other == REFERENCE and unit == drift_unit(space)
            yield from _drifts(Measure(other, title, unit, group, 'lower', digits, main), function)


def _grippers(other: str, pair: Callable) -> Iterable[Quantity]:
    group = GROUPS[other]
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
    yield Quantity(
        Measure(
            f'{other}_gripper_error',
            'gripper error',
            '',
            group,
            'lower',
            3,
            False,
            'how far apart they are, where 0 is open and 1 closed',
        ),
        pair(departure.gripper_error),
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


def _drifts(like: Measure, function: Callable) -> Iterable[Quantity]:
    """Yield the drifts of a unit; of `like` the key is what is compared with."""
    other = like.key
    for seconds in WINDOWS_S:
        measure = replace(
            like,
            key=f'{other}_drift_{seconds}s_{like.unit}',
            title=f'{like.title} over {seconds} s',
            headline=like.headline and seconds == 1,
            note=f'how far apart both end after every {seconds} s of an episode',
        )

        def of(v: View, seconds: int = seconds) -> np.ndarray:
            steps = max(1, round(seconds / v.step_s))
            return function(v.trace.actions, v.others[other], v.space, steps)

        yield Quantity(measure, of)
        yield Quantity(_pooled(measure, 'p95', 'p95'), of, 'p95')


def _pooled(measure: Measure, pool: str, words: str) -> Measure:
    """Return the measure of the same values, pooled otherwise than by their mean."""
    return replace(
        measure,
        key=f'{measure.key}_{pool}',
        title=f'{measure.title}, {words}',
        headline=False,
        note='',
    )


def speeds(space: ActionSpace) -> Iterable[Quantity]:
    """Yield how fast the actions are, in each of the space's units."""
    columns = []
    if departure.lengths(space):
        columns.append(('speed', 'speed_m_s', 'speed', 'm/s'))
    if departure.joints(space):
        columns.append(
            ('angular_speed', 'joint_speed_rad_s', 'speed of the fastest joint', 'rad/s')
        )
    elif departure.turns(space):
        columns.append(('angular_speed', 'angular_speed_rad_s', 'angular speed', 'rad/s'))
    for column, key, title, unit in columns:
        for pool, words in (('p95', 'p95'), ('max', 'largest')):
            yield Quantity(
                Measure(f'{key}_{pool}', f'{title}, {words}', unit, 'How fast', '', 3),
                lambda v, column=column: v.trace.floats[column],
                pool,
            )
