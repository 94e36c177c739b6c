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

"""An engine against eager: the same frames, the same answers, or how far they are apart.

Sums in another order differ in their last digits. Where the two largest logits are that near,
either token is a right one, and what follows it may differ: a tie. Everywhere else the tokens of
an exact engine are those of eager.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Bucket, Engine, Program, Runner, Tensors
from vla_accel_ros.models.heads.drafts import PREVIOUS
from vla_accel_ros.models.in_use import NOT_FINITE
from vla_accel_ros.models.prediction import Prediction
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation

if TYPE_CHECKING:
    from vla_accel_ros.models.policy import Policy

# Logits span some 20, and those of float32 engines differ by up to 1e-4.
NEAR = 5e-4
# Frames after which pruners and drafts begin anew; where a tie is judged, so many are run again.
EPISODE = 8
# Of so many frames one may hang by a hair in the choice of tokens, where numbers are answered.
MOST_TIES = 100


@dataclass(frozen=True)
class Frame:
    """What both are asked.

    Attributes:
        observation: The observation.
        motion: Of the action before; None at the beginning of an episode.
    """

    observation: Observation
    motion: Motion | None = None


@dataclass(frozen=True)
class Bound:
    """How far an engine may be from eager.

    Attributes:
        bins: Mean distance of tokens, in bins; with 0 tokens must be equal but for ties.
        numbers: Largest distance of normalised numbers, where a head gives no tokens.
    """

    bins: float
    numbers: float

    @classmethod
    def of(cls, engine: Engine) -> Bound:
        """Give what is asked of an engine where nothing else is said."""
        return EXACT if engine.exact else REDUCED


# Normalised numbers lie in -1 to 1, and float32 engines are some 1e-5 from eager.
EXACT = Bound(0.0, 1e-3)
# A bin is 1/128 of a normalised number; one in twenty of the range is what 8 bits are off at most.
REDUCED = Bound(1.0, 0.1)


@dataclass(frozen=True)
class Agreement:
    """How far an engine is from eager, over some frames.

    Attributes:
        frames: Frames that were compared.
        same: Frames with the same tokens, or numbers that differ by no more than `EXACT` allows.
        ties: Frames whose first token that differs is a tie; where a head gives numbers, frames
            that differ because another visual token was kept.
        tokens: Tokens that were compared.
        changed: Tokens that differ, without those of ties.
        mean_bins: Mean distance of all compared tokens, in bins.
        numbers: Largest distance of normalised numbers.
        kept: Frames of which other visual tokens were kept.
        not_finite: Whether it gave NaN or infinity where eager gives numbers; nothing is compared
            from there on.
    """

    frames: int
    same: int
    ties: int
    tokens: int
    changed: int
    mean_bins: float
    numbers: float
    kept: int
    not_finite: bool = False

    def objection(self, bound: Bound) -> str | None:
        """Say in one line why this is too far, None where it is not."""
        if self.not_finite:
            return NOT_FINITE
        if not self.tokens and self.ties > max(1, self.frames // MOST_TIES):
            return (
                f'it keeps another visual token in {self.ties} of {self.frames} frames, expected '
                f'one in {MOST_TIES} at most'
            )
        if not self.tokens and not self.numbers <= bound.numbers:
            return (
                f'its normalised numbers are up to {self.numbers:.3g} from those of eager, '
                f'expected at most {bound.numbers:g}'
            )
        if self.tokens and bound.bins == 0 and self.changed:
            return (
                f'{self.changed} of {self.tokens} tokens differ from those of eager, by '
                f'{self.mean_bins:.2f} bins in the mean, expected none'
            )
        if self.tokens and not self.mean_bins <= bound.bins:
            return (
                f'its tokens are {self.mean_bins:.2f} bins from those of eager in the mean, '
                f'expected at most {bound.bins:g}'
            )
        return None


def compare(
    policy: Policy,
    engine: Engine,
    frames: Iterable[Frame],
    prepare: Callable[[Policy], object] = lambda policy: None,
) -> Agreement:
    """Answer the same frames on an engine and on eager.

    Args:
        policy: Its weights are used; its settings and memory stay as they are.
        engine: The engine.
        frames: Any number; pruners and drafts begin anew every `EPISODE` ones.
        prepare: Sets pruning and decoding of a policy.

    Raises:
        EngineError: When the engine cannot run a program, and nothing is behind it.
        NotFiniteError: When eager gives NaN or infinity.
    """
    count = _Count()
    pair = [_sibling(policy, each, prepare) for each in (EAGER, engine)]
    past: list[tuple[Frame, Prediction]] = []
    for frame in frames:
        if len(past) >= EPISODE:
            past.clear()
        if not past:
            for each in pair:
                each.reset()
        expected, found = (_answer(each, frame, first=not past) for each in pair)
        if pair[1].in_use.engine is not engine:
            # A policy leaves an engine that gives NaN: eager would be compared with itself.
            return replace(count.result(), not_finite=True)
        past.append((frame, expected))
        behind = partial(_behind, policy, past, found.token_ids, prepare)
        if not count.add(policy, expected, found, behind):
            # They have gone different ways, so what they remember differs.
            past.clear()
    return count.result()


def _sibling(policy: Policy, engine: Engine, prepare: Callable[[Policy], object]) -> Policy:
    other = policy.sibling()
    prepare(other)
    other.set_engine(engine)
    return other


def _answer(policy: Policy, frame: Frame, first: bool) -> Prediction:
    return policy.predict(frame.observation, motion=None if first else frame.motion)


class _Count:
    """Counts, frame by frame."""

    def __init__(self) -> None:
        self._frames = self._same = self._ties = self._tokens = self._changed = self._kept = 0
        self._bins, self._numbers = 0.0, 0.0

    def add(
        self,
        policy: Policy,
        expected: Prediction,
        found: Prediction,
        behind: Callable[[], np.ndarray],
    ) -> bool:
        """Count a frame; return whether both gave the same."""
        self._frames += 1
        kept = np.array_equal(expected.kept_ids, found.kept_ids)
        self._kept += not kept
        apart = _apart(policy, expected.chunk_values, found.chunk_values)
        if len(expected.token_ids):
            same = self._add_tokens(expected.token_ids, found.token_ids, behind)
        else:
            same = apart <= EXACT.numbers
            if not same and _one_apart(expected.kept_ids, found.kept_ids):
                # Two visual tokens scored alike: either choice is a right one.
                self._ties += 1
            else:
                self._numbers = max(self._numbers, apart)
        self._same += same
        return same and kept

    def _add_tokens(
        self, expected: np.ndarray, found: np.ndarray, behind: Callable[[], np.ndarray]
    ) -> bool:
        if len(expected) != len(found):
            self._tokens += len(expected)
            self._changed += len(expected)
            self._bins = math.inf
            return False
        differ = np.flatnonzero(expected != found)
        counted = len(expected)
        if len(differ):
            first = int(differ[0])
            if behind()[first] <= NEAR:
                # Behind it both are right, each after its own token.
                self._ties += 1
                counted = first
            else:
                self._changed += len(differ)
        self._tokens += counted
        self._bins += float(np.abs(expected[:counted] - found[:counted]).sum())
        return not len(differ)

    def result(self) -> Agreement:
        """Give the counts."""
        return Agreement(
            self._frames,
            self._same,
            self._ties,
            self._tokens,
            self._changed,
            self._bins / max(self._tokens, 1),
            self._numbers,
            self._kept,
        )


def _one_apart(kept: np.ndarray, others: np.ndarray) -> bool:
    """Say whether as many visual tokens are kept, all but one of them the same."""
    return len(kept) == len(others) and len(np.setdiff1d(kept, others)) == 1


def _apart(policy: Policy, expected: np.ndarray, found: np.ndarray) -> float:
    """Give the largest distance of two chunks in normalised numbers, infinite for NaN."""
    if expected.shape != found.shape:
        return math.inf
    low, high, mask = (getattr(policy.statistics, name) for name in ('low', 'high', 'mask'))
    unit = np.where(mask & (high > low), (high - low) / 2, 1.0)
    largest = float((np.abs(expected - found) / unit).max())
    return largest if math.isfinite(largest) else math.inf


def _behind(
    policy: Policy,
    past: Sequence[tuple[Frame, Prediction]],
    found: np.ndarray,
    prepare: Callable[[Policy], object],
) -> np.ndarray:
    """Give how far other tokens for the newest frame are behind those that eager chose.

    The episode is run again with eager's answers as drafts: the prefill then gives the logits of
    all tokens of an answer at once.

    Args:
        policy: The policy.
        past: The frames of the episode, and eager's answers.
        found: int64 [tokens], the other tokens.
        prepare: Sets pruning and decoding.

    Returns:
        float [tokens], differences of logits; infinite where the head gives none. They hold up to
        the first token that differs.
    """
    logits = _Logits()
    judge = _sibling(policy, logits, prepare)
    judge.set_decoder('verify', draft=PREVIOUS)
    judge.reset()
    for number, (frame, expected) in enumerate(past):
        logits.seen.clear()
        judge.assume_previous(expected.token_ids)
        _answer(judge, frame, first=number == 0)
    for each in logits.seen:
        rows = each.reshape(-1, each.shape[-1]).float().cpu()[: len(found)]
        if len(rows) == len(found):
            own = rows.gather(1, torch.from_numpy(found)[:, None])[:, 0]
            return (rows.max(1).values - own).numpy()
    return np.full(len(found), math.inf)


class _Logits:
    """Eager, with a copy of all logits."""

    name = 'eager'
    precision = 'float32'
    exact = True

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give the program's function, with an ear on it; see `Engine.ready`."""

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            done = program.run(given, room)
            if 'logits' in done:
                self.seen.append(done['logits'].clone())
            return done

        return run
