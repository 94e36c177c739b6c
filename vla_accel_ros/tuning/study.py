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

"""One method's trials: what to try next, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
import json
from types import MappingProxyType
import warnings

from vla_accel_ros.acceleration import Method
from vla_accel_ros.tuning.points import Point, Score
from vla_accel_ros.tuning.spaces import Space

# Trials drawn before the sampler draws conclusions; the method as it is comes before them.
STARTUP = 6
# Draws in a row that do not go together, after which there is no hope for another.
DRAWS = 200
SCORE = 'score'
# A large prime keeps the draws of one trial apart from those of the next seed.
STRIDE = 1_000_003


class Study:
    """The trials of one space; those of earlier commands are there again.

    Each trial's draw comes from the seed, its number and the trials told before it, so that a
    search that was interrupted goes on as it would have gone on.

    Args:
        space: What is searched.
        storage: Optuna's.
        seed: Of the draws.
        liars: Whether several trials are under way at once, which the sampler must keep apart.
    """

    def __init__(self, space: Space, storage, seed: int, liars: bool) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self._seed, self._liars = space, seed, liars
        self._states = optuna.trial.TrialState
        self._study = optuna.create_study(
            storage=storage,
            study_name=space.name,
            directions=['minimize', 'minimize'],
            load_if_exists=True,
        )
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == self._states.RUNNING:
                # Of a command that was killed.
                self._study.tell(trial.number, state=self._states.FAIL)

    @property
    def done(self) -> int:
        """Trials that have a score."""
        return len(self._told())

    def points(self) -> list[Point]:
        """Return all settings that have a score, in the order of their trials."""
        return [self._point(trial) for trial in self._told()]

    def ask(self) -> Ticket:
        """Return what to try next.

        Raises:
            ValueError: When nothing is found that goes together.
        """
        for _ in range(DRAWS):
            number = len(self._study.get_trials(deepcopy=False))
            self._study.sampler = self._sampler(number)
            if not number:
                self._study.enqueue_trial(self.space.start)
            trial = self._study.ask()
            values = {d.name: d.suggest(trial) for d in self.space.dimensions}
            name = f'{self.space.name}#{trial.number}'
            try:
                method = self.space.with_values(values, name)
            except ValueError:
                self._study.tell(trial, state=self._states.PRUNED)
                continue
            return Ticket(self.space.name, self._study, trial, values, method)
        raise ValueError(
            f"method '{self.space.name}': {DRAWS} draws in a row do not go together; give other "
            'ranges by --range'
        )

    def known(self, values: Mapping[str, object]) -> Score | None:
        """Return the score of values that were tried before."""
        return next((p.score for p in self.points() if dict(p.values) == dict(values)), None)

    def _told(self) -> list:
        return self._study.get_trials(deepcopy=False, states=(self._states.COMPLETE,))

    def _point(self, trial) -> Point:
        method = self.space.with_values(trial.params, f'{self.space.name}#{trial.number}')
        return Point(
            method,
            self.space.name,
            MappingProxyType(dict(trial.params)),
            Score(**trial.user_attrs[SCORE]),
        )

    def _sampler(self, number: int):
        from optuna.samplers import TPESampler

        with warnings.catch_warnings():
            # What it calls experimental is pinned.
            warnings.simplefilter('ignore')
            return TPESampler(
                n_startup_trials=STARTUP,
                multivariate=True,
                constant_liar=self._liars,
                seed=(self._seed * STRIDE + number) % 2**32,
            )


class Ticket:
    """A trial under way.

    Attributes:
        space: Name of what is searched.
        values: The parameters searched.
        method: The setting to try.
    """

    def __init__(self, space: str, study, trial, values: dict, method: Method) -> None:
        self.space, self.values, self.method = space, values, method
        self._study, self._trial = study, trial

    def tell(self, score: Score | None) -> None:
        """Take note of what came of it; None where nothing did."""
        from optuna.trial import TrialState

        if score is None:
            self._study.tell(self._trial, state=TrialState.FAIL)
            return
        self._trial.set_user_attr(SCORE, json.loads(json.dumps(score.to_dict())))
        self._study.tell(self._trial, [score.loss, score.cost])
