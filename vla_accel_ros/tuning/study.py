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
from contextlib import suppress
import json
from types import MappingProxyType

from vla_accel_ros.acceleration import Method
from vla_accel_ros.tuning.points import Point, Score
from vla_accel_ros.tuning.shared import Heart, Shared, experimental
from vla_accel_ros.tuning.spaces import Space
from vla_accel_ros.tuning.store import Folder

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
        store: Where trials are kept.
        seed: Of the draws.
        liars: Whether several trials are under way at once, which the sampler must keep apart.
    """

    def __init__(self, space: Space, store: Folder | Shared, seed: int, liars: bool) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self._seed, self._store = space, seed + store.salt, store
        self._liars = liars or store.heart is not None
        self._states = optuna.trial.TrialState
        self._study = optuna.create_study(
            storage=store.storage(),
            study_name=f'{store.prefix}{space.name}',
            directions=['minimize', 'minimize'],
            load_if_exists=True,
        )
        if store.heart is None:
            for trial in self._trials(self._states.RUNNING):
                # Of a command that was killed.
                self._study.tell(trial.number, state=self._states.FAIL)

    @property
    def done(self) -> int:
        """Trials that have a score."""
        return len(self._told())

    @property
    def begun(self) -> int:
        """Trials that have a score or are under way, here or in another command."""
        if self._store.heart is not None:
            self._store.heart.sweep(self._study, self._trials(self._states.RUNNING))
        return len(self._trials(self._states.COMPLETE, self._states.RUNNING))

    def points(self) -> list[Point]:
        """Return all settings that have a score, in the order of their trials."""
        return [self._point(trial) for trial in self._told()]

    def ask(self) -> Ticket:
        """Return what to try next.

        Raises:
            ValueError: When nothing is found that goes together.
        """
        from optuna.exceptions import UpdateFinishedTrialError

        for _ in range(DRAWS):
            number = len(self._study.get_trials(deepcopy=False))
            self._study.sampler = self._sampler(number)
            if not number:
                self._study.enqueue_trial(self.space.start)
            try:
                with experimental():
                    trial = self._study.ask()
            except UpdateFinishedTrialError:
                # Another command took the setting that waited, and is done with it already.
                continue
            values = {d.name: d.suggest(trial) for d in self.space.dimensions}
            name = f'{self.space.name}#{trial.number}'
            try:
                method = self.space.with_values(values, name)
            except ValueError:
                self._study.tell(trial, state=self._states.PRUNED)
                continue
            return Ticket(self.space.name, self._study, trial, values, method, self._store.heart)
        raise ValueError(
            f"method '{self.space.name}': {DRAWS} draws in a row do not go together; give other "
            'ranges by --range'
        )

    def known(self, values: Mapping[str, object]) -> Score | None:
        """Return the score of values that were tried before."""
        return next((p.score for p in self.points() if dict(p.values) == dict(values)), None)

    def _told(self) -> list:
        return self._trials(self._states.COMPLETE)

    def _trials(self, *states) -> list:
        return self._study.get_trials(deepcopy=False, states=states)

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

        with experimental():
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

    def __init__(
        self, space: str, study, trial, values: dict, method: Method, heart: Heart | None
    ) -> None:
        self.space, self.values, self.method = space, values, method
        self._study, self._trial, self._heart = study, trial, heart
        if heart is not None:
            heart.begin(trial._trial_id)

    def tell(self, score: Score | None) -> None:
        """Take note of what came of it; None where nothing did.

        A trial that was given to another command, because this one was silent, is left alone.
        """
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        if self._heart is not None:
            self._heart.end(self._trial._trial_id)
        state, values = TrialState.FAIL, None
        with suppress(UpdateFinishedTrialError):
            if score is not None:
                self._trial.set_user_attr(SCORE, json.loads(json.dumps(score.to_dict())))
                state, values = TrialState.COMPLETE, [score.loss, score.cost]
            self._study.tell(self._trial, values, state, skip_if_finished=True)
