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

So whatever the machine does meanwhile, every case has its share of it, and ratios are taken
between answers that lie moments apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
import gc
import random

from vla_accel_ros.bench.cases import GREEDY, Case
from vla_accel_ros.bench.contestants import Contestant, Sample
from vla_accel_ros.bench.floor import RateMeter
from vla_accel_ros.bench.scenes import Scene
from vla_accel_ros.bench.subjects import Subject

# VLA-Pruner takes three steps before it prunes, and each way its first call before it is fast.
WARM_UP = 6
Ended = Callable[[int], None]


class Group:
    """Cases that keep the same tokens, each with a state of its own.

    Args:
        subject: The model.
        cases: Of one pruning method and its parameters.
    """

    def __init__(self, subject: Subject, cases: Sequence[Case]) -> None:
        self.contestants = [Contestant(subject, case) for case in cases]
        self._extra = None
        if any(one.wants_answer for one in self.contestants) and not cases[0].greedy:
            # Its answers make the drafts, its time is nobody's.
            method = replace(cases[0].method, decoder=GREEDY)
            self._extra = Contestant(subject, Case(method))

    def answer(self, index: int, scene: Scene, draw: random.Random) -> dict[Case, Sample]:
        """Let every case answer a frame, those first whose answer is another one's draft."""
        frame = scene.frame(index)
        order = draw.sample(self.contestants, len(self.contestants))
        order.sort(key=lambda one: one.wants_answer)
        right = None if self._extra is None else self._extra.answer(frame).tokens
        answers = {}
        for one in order:
            answers[one.case] = one.answer(frame, right)
            if one.case.greedy:
                right = answers[one.case].tokens
        return answers


def measure(
    subject: Subject,
    groups: Sequence[Sequence[Case]],
    rounds: int,
    meter: RateMeter,
    warm_up: int = WARM_UP,
    seed: int = 0,
    ended: Ended = lambda done: None,
) -> tuple[dict[Case, list[Sample]], bool]:
    """Measure.

    Args:
        subject: The model.
        groups: From `cases.cases`.
        rounds: To be counted.
        meter: Sampled once a round.
        warm_up: Rounds before, which do not count.
        seed: Of the orders.
        ended: Told how many rounds are over, those of the warm-up included.

    Returns:
        For each case its samples, one a round; and whether all rounds were run. An interrupted
        round counts for nobody.

    Raises:
        ValueError: When there is no round to count, or a negative warm-up.
    """
    if rounds < 1 or warm_up < 0:
        raise ValueError(f'{rounds} rounds after {warm_up} of warm-up, expected at least 1 and 0')
    teams = [Group(subject, cases) for cases in groups]
    samples: dict[Case, list[Sample]] = {case: [] for cases in groups for case in cases}
    draw = random.Random(seed)
    try:
        for index in range(warm_up + rounds):
            # Not in the middle of an answer.
            gc.collect()
            answers: dict[Case, Sample] = {}
            for team in draw.sample(teams, len(teams)):
                answers.update(team.answer(index, subject.scene, draw))
            if index >= warm_up:
                meter.sample()
                for case, sample in answers.items():
                    samples[case].append(sample)
            ended(index + 1)
    except KeyboardInterrupt:
        whole = min(len(of_case) for of_case in samples.values())
        return {case: of_case[:whole] for case, of_case in samples.items()}, False
    return samples, True
