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

"""Those that are measured: each answers the same frames, in its own way and state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import random

import numpy as np

from vla_accel_ros.acceleration import apply_method
from vla_accel_ros.bench.cases import GIVEN, GREEDY, RIGHT, WRONG, Case
from vla_accel_ros.bench.plain import PlainPolicy
from vla_accel_ros.bench.scenes import Frame
from vla_accel_ros.bench.subjects import Subject
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.heads import drafts
from vla_accel_ros.models.prediction import Prediction


@dataclass(frozen=True, eq=False)
class Sample:
    """What one answer took.

    Attributes:
        ms: Milliseconds by stage, and in `total`.
        work: What the model did, for the floor.
        passes: Passes of the language model.
        accepted: Tokens of the draft that were confirmed.
        pruning: Why the tokens were kept that were kept.
        tokens: The answer's tokens, none where numbers are regressed.
        values: The actions, float [n, 7].
    """

    ms: dict[str, float]
    work: Workload
    passes: int
    accepted: int
    pruning: str
    tokens: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, answer: Prediction) -> Sample:
        """Take what is wanted of a prediction."""
        return cls(
            answer.timings_ms,
            answer.work,
            answer.passes,
            answer.accepted,
            answer.pruning,
            answer.token_ids,
            answer.chunk_values,
        )


class Contestant:
    """One case, ready to be asked.

    Args:
        subject: The model, shared.
        case: How it is run.
    """

    def __init__(self, subject: Subject, case: Case) -> None:
        self.case = case
        self._config = subject.model.config
        if case.method is None:
            self._policy = PlainPolicy(subject.model, subject.encode, subject.unnorm_key)
            return
        self._policy = subject.policy()
        method = case.method
        if self.wants_answer:
            # The draft that is given comes from here, as if it had been answered before.
            method = replace(method, draft=drafts.PREVIOUS)
        apply_method(method, self._policy)

    @property
    def wants_answer(self) -> bool:
        """Whether its draft is made from the greedy answer to the same frame."""
        return self.case.draft in GIVEN

    def answer(self, frame: Frame, right: np.ndarray | None = None) -> Sample:
        """Answer a frame.

        Args:
            frame: What is seen.
            right: The greedy answer's tokens, where `wants_answer`.
        """
        if self.case.method is None:
            return Sample.of(self._policy.predict(frame.observation))
        if self.case.draft == RIGHT:
            self._policy.assume_previous(right)
        elif self.case.draft == WRONG:
            self._policy.assume_previous(self._other(right))
        return Sample.of(self._policy.predict(frame.observation, motion=frame.motion))

    def _other(self, tokens: np.ndarray) -> np.ndarray:
        """Give action tokens as far as can be from the given ones."""
        bins = self._config.bins
        first = self._config.tokenizer_vocab - bins
        return first + (tokens - first + bins // 2) % bins


class Group:
    """Cases that keep the same tokens, each with a state of its own.

    Args:
        subject: The model.
        cases: Of one pruning method and its parameters.
    """

    def __init__(self, subject: Subject, cases: Sequence[Case]) -> None:
        self.contestants = [Contestant(subject, case) for case in cases]
        self._extra = None
        method = cases[0].method
        if any(one.wants_answer for one in self.contestants) and not cases[0].greedy and method:
            # Its answers make the drafts, its time is nobody's.
            self._extra = Contestant(subject, Case(replace(method, decoder=GREEDY)))

    def answer(self, frame: Frame, draw: random.Random) -> list[Sample]:
        """Let every case answer a frame, those first whose answer is another one's draft.

        Returns:
            What each case's answer took, in the order of the cases.
        """
        order = draw.sample(self.contestants, len(self.contestants))
        order.sort(key=lambda one: one.wants_answer)
        right = None if self._extra is None else self._extra.answer(frame).tokens
        answers = {}
        for one in order:
            answers[one.case] = one.answer(frame, right)
            if one.case.greedy:
                right = answers[one.case].tokens
        return [answers[one.case] for one in self.contestants]
