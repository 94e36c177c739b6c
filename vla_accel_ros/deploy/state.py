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

"""Whether the proprioception of a robot is what a checkpoint was trained with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import pi

from vla_accel_ros.deploy.finding import Finding, error, ok, warning
from vla_accel_ros.deploy.robot import Facts
from vla_accel_ros.deploy.wants import StateWanted

# From the 1st to the 99th percentile of a normal distribution, in standard deviations.
BETWEEN_PERCENTILES = 4.653
# Less is noise of an encoder: a number that stood still in training is no yardstick.
LEAST_SIGMA = 0.01
FAR, TOO_FAR = 3.0, 6.0
SHOWN = 3
DEGREES = 180 / pi
# No joint turns further, no tool is farther away.
FARTHEST_RAD, FARTHEST_M = 4 * pi, 20.0


def state_missing(facts: Facts) -> Iterator[Finding]:
    """Name the numbers that the robot does not give."""
    wants, state = facts.wants, facts.state
    if wants is None or state is None or not wants.state.width:
        return
    text = f'the checkpoint wants {wants.state.width} numbers of proprioception'
    if state.stream.age_s is None and not state.stream.unstamped:
        yield error(
            'state_missing',
            f'{text}, nothing came on proprio',
            'start the driver, or remap proprio to its topic',
        )
        return
    absent = [name for name in state.chosen if name not in state.names]
    if absent:
        yield error(
            'state_missing',
            f'{text}, proprio has no {", ".join(absent)}, but '
            + (', '.join(state.names) or 'no names'),
            'set proprio_names to the names that it has',
        )
    else:
        yield ok('state_missing', f'{text}, which come')


def state_width(facts: Facts) -> Iterator[Finding]:
    """Compare how many numbers there are."""
    wants, state = facts.wants, facts.state
    if wants is None or state is None or not wants.state.width:
        return
    width = len(state.chosen) or len(state.values)
    if not width:
        return
    whose = 'proprio_names has' if state.chosen else 'proprio has'
    text = f'the checkpoint wants {wants.state.width} numbers, {whose} {width}'
    if width == wants.state.width:
        yield ok('state_width', text)
    else:
        told = f' ({", ".join(wants.state.names)})' if wants.state.names else ''
        yield error('state_width', text, f"set proprio_names to the checkpoint's numbers{told}")


def state_order(facts: Facts) -> Iterator[Finding]:
    """Compare the order of the numbers, by name."""
    wants, state = facts.wants, facts.state
    if wants is None or state is None or not wants.state.width:
        return
    given = state.chosen or state.names
    if not given:
        return
    wanted = wants.state.names
    whose = 'proprio_names is' if state.chosen else 'proprio has'
    text = f'{whose} {", ".join(given)}'
    if wanted and sorted(wanted) == sorted(given):
        text = f'the checkpoint wants {", ".join(wanted)}; {text}'
        if wanted == given:
            yield ok('state_order', text)
        else:
            yield error('state_order', text, f'set proprio_names to {", ".join(wanted)}')
    elif not state.chosen:
        yield warning(
            'state_order',
            f'{text}, in the order of the driver, for proprio_names is empty',
            "set proprio_names in the checkpoint's order: a driver may change its own",
        )
    elif wanted and set(wanted) & set(given):
        yield warning(
            'state_order',
            f'the checkpoint wants {", ".join(wanted)}; {text}',
            "set proprio_names in the checkpoint's order",
        )
    else:
        yield ok('state_order', text)


def state_stamp(facts: Facts) -> Iterator[Finding]:
    """Look at age and rate of the messages."""
    wants, state = facts.wants, facts.state
    if wants is None or state is None or not wants.state.width:
        return
    stream = state.stream
    rate = '' if stream.rate_hz is None else f' at {stream.rate_hz:.3g} Hz'
    if stream.unstamped:
        yield error('state_stamp', 'proprio has no stamps', 'have the driver stamp its messages')
    elif stream.age_s is None:
        return
    elif abs(stream.age_s) > state.tolerance:
        yield error(
            'state_stamp',
            f'proprio is {stream.age_s:.3g} s old when it comes, proprio_tolerance is '
            f'{state.tolerance:g} s',
            'set the clocks of all machines, or raise proprio_tolerance',
        )
    elif stream.rate_hz is not None and stream.rate_hz * 2 * state.tolerance < 1:
        yield error(
            'state_stamp',
            f'proprio comes{rate}, proprio_tolerance is {state.tolerance:g} s',
            'set the driver to a higher rate, or raise proprio_tolerance',
        )
    else:
        yield ok('state_stamp', f'proprio comes{rate}, {stream.age_s * 1e3:.0f} ms old')


def start_pose(facts: Facts) -> Iterator[Finding]:
    """Compare the state with that of training, in standard deviations."""
    wants, state = facts.wants, facts.state
    if wants is None or state is None or not state.values:
        return
    spread = spreads(wants.state)
    if len(spread) != len(state.values):
        return
    away = [
        0.0 if low <= value <= high else abs(value - mean) / sigma
        for value, (low, high, mean, sigma) in zip(state.values, spread, strict=True)
    ]
    order = sorted(range(len(away)), key=lambda i: -away[i])[:SHOWN]
    far = [i for i in order if away[i] > FAR]
    if not far:
        yield ok(
            'start_pose', f'the state is that of training, at most {max(away):.1f} sigmas off'
        )
        return
    names = wants.state.names or state.chosen or state.names
    told = ', '.join(
        f'{names[i] if len(names) == len(away) else f"number {i}"} is {state.values[i]:.3g}, in '
        f'training {spread[i][0]:.3g} to {spread[i][1]:.3g} ({away[i]:.1f} sigmas)'
        for i in far
    )
    if all(
        abs(state.values[i]) > FARTHEST_RAD and _inside(state.values[i] / DEGREES, spread[i])
        for i in far
    ):
        remedy = 'are they degrees? radians would be within the range'
    elif all(
        abs(state.values[i]) > FARTHEST_M and _inside(state.values[i] / 1000, spread[i])
        for i in far
    ):
        remedy = 'are they mm? metres would be within the range'
    else:
        remedy = (
            "bring the arm to a start of the training, and look at proprio_names' order and units"
        )
    make = error if max(away) > TOO_FAR else warning
    yield make('start_pose', told, remedy)


def spreads(state: StateWanted) -> list[tuple[float, float, float, float]]:
    """Give low, high, mean and standard deviation of each number; empty where not known."""
    width = state.width
    low, high, mean, std = state.low, state.high, state.mean, state.std
    if not all(_of(width, each) for each in (low, high)):
        if not (_of(width, mean) and _of(width, std)):
            return []
        half = BETWEEN_PERCENTILES / 2
        low = tuple(m - half * s for m, s in zip(mean, std, strict=True))
        high = tuple(m + half * s for m, s in zip(mean, std, strict=True))
    if not (_of(width, mean) and _of(width, std)):
        mean = tuple((a + b) / 2 for a, b in zip(low, high, strict=True))
        std = tuple((b - a) / BETWEEN_PERCENTILES for a, b in zip(low, high, strict=True))
    return [
        (a, b, m, max(s, LEAST_SIGMA)) for a, b, m, s in zip(low, high, mean, std, strict=True)
    ]


def _of(width: int, values: Sequence[float]) -> bool:
    return bool(width) and len(values) == width


def _inside(value: float, spread: tuple[float, float, float, float]) -> bool:
    low, high, mean, sigma = spread
    return low <= value <= high or abs(value - mean) <= FAR * sigma
