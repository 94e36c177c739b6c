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

"""Rounds: in each one every case answers the same frame, in an order drawn anew.

So whatever the machine does meanwhile, every case and every engine has its share of it, and
ratios are taken between answers that lie moments apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import random

from vla_accel_ros.bench.cases import Case
from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.bench.turns import Turns

# VLA-Pruner takes three steps before it prunes, and each way its first call before it is fast.
WARM_UP = 6
Ended = Callable[[int], None]
LeftOut = Callable[[Turns, Exception], object]
Team = tuple[Turns, Sequence[Sequence[Case]]]


def measure(
    teams: Sequence[Team],
    rounds: int,
    warm_up: int = WARM_UP,
    seed: int = 0,
    ended: Ended = lambda done: None,
    left_out: LeftOut | None = None,
) -> tuple[dict[Case, list[Sample]], bool]:
    """Measure.

    Args:
        teams: Each engine with its groups of cases, which are made ready here. The first one
            measures the device, once a round.
        rounds: To be counted.
        warm_up: Rounds before, which do not count.
        seed: Of the orders.
        ended: Told how many rounds are over, those of the warm-up included.
        left_out: Told of an engine that fails and why; the others go on without it. The first one
            must not fail, and none where this is None: what it raises ends the measurement.

    Returns:
        For each case of an engine that did not fail its samples, one a round; and whether all
        rounds were run. An interrupted round counts for nobody.

    Raises:
        ValueError: When there is no round to count, or a negative warm-up, or a case does not
            fit the model.
    """
    if rounds < 1 or warm_up < 0:
        raise ValueError(f'{rounds} rounds after {warm_up} of warm-up, expected at least 1 and 0')
    first, *others = teams
    # What fits no model fits not the first one either, and is no fault of an engine.
    first[0].prepare(first[1])
    gone: set[Turns] = set()

    def fails(turns: Turns, error: Exception) -> None:
        if turns is first[0] or left_out is None:
            raise error
        gone.add(turns)
        left_out(turns, error)

    for turns, groups in others:
        try:
            turns.prepare(groups)
        except Exception as error:  # an engine's library may fail in any way
            fails(turns, error)
    slots = [
        (turns, groups[place], place) for turns, groups in teams for place in range(len(groups))
    ]
    samples: dict[Case, list[Sample]] = {case: [] for _, cases, _ in slots for case in cases}

    def kept(count: int | None = None) -> dict[Case, list[Sample]]:
        left = [case for turns, cases, _ in slots if turns not in gone for case in cases]
        return {case: samples[case][:count] for case in left}

    draw = random.Random(seed)
    try:
        for index in range(warm_up + rounds):
            counts = index >= warm_up
            for turns in (turns for turns, _ in teams if turns not in gone):
                try:
                    turns.pause(counts and turns is first[0])
                except Exception as error:  # as above
                    fails(turns, error)
            answers: dict[Case, Sample] = {}
            for turns, cases, place in draw.sample(slots, len(slots)):
                drawn = draw.getrandbits(32)
                if turns in gone:
                    continue
                try:
                    answers.update(zip(cases, turns.answer(place, index, drawn), strict=True))
                except Exception as error:  # as above
                    fails(turns, error)
            if counts:
                for case, sample in answers.items():
                    samples[case].append(sample)
            ended(index + 1)
    except KeyboardInterrupt:
        return kept(min(map(len, kept().values()))), False
    return kept(), True
