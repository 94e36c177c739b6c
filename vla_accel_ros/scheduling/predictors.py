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

"""Lightweight predictors: the next action from the last few, without the VLA.

A predictor is any class with `source` and `predict(buffer)`; `register` makes it known by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, NamedTuple, Protocol

import numpy as np

from vla_accel_ros.action_space import FITS, ActionSpace
from vla_accel_ros.actions import Source
from vla_accel_ros.scheduling.buffer import ActionBuffer


class Prediction(NamedTuple):
    """A predictor's next action.

    Attributes:
        values: float64 [width], columns as the buffer's; None when there is no valid one.
        reason: `predicted`, or why there is none.
    """

    values: np.ndarray | None
    reason: str


@dataclass(frozen=True)
class Validity:
    """What a predicted action must satisfy (SP-VLA has such a check; its rule is ours).

    Attributes:
        max_translation: Largest displacement, metres per step, of any arm.
        max_rotation: Largest rotation, radians per step, of any arm or joint.
        change: What happens to a column that changes more from the last action than it ever
            did within the buffer: `clip` it to that change (as SP-VLA's released code does),
            `reject` the prediction, or `ignore`.
        min_actions: Fewest buffered actions to fit to, at least 2.

    Raises:
        ValueError: When a value is outside its range.
    """

    max_translation: float = inf
    max_rotation: float = inf
    change: str = 'clip'
    min_actions: int = 3

    def __post_init__(self) -> None:
        for name in ('max_translation', 'max_rotation'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name} is {getattr(self, name)}, expected above 0')
        if self.change not in ('clip', 'reject', 'ignore'):
            raise ValueError(f"change is '{self.change}', expected clip, reject or ignore")
        if self.min_actions < 2:
            raise ValueError(f'min_actions is {self.min_actions}, expected at least 2')

    def fault(self, row: list[float], space: ActionSpace, before: list[float]) -> str | None:
        """Name what is wrong with a predicted action, None when nothing is.

        Args:
            row: The action, [width].
            space: What its columns are.
            before: The action before it, which absolute positions are compared with.
        """
        translation, rotation = space.squares(row, before)
        if not (translation + rotation < inf and isfinite(sum(row))):
            return 'prediction_not_finite'
        if translation > self.max_translation * self.max_translation:
            return 'prediction_exceeds_translation'
        if rotation > self.max_rotation * self.max_rotation:
            return 'prediction_exceeds_rotation'
        return None


class Predictor(Protocol):
    """What the scheduler needs of a predictor."""

    source: Source

    def predict(self, buffer: ActionBuffer) -> Prediction:
        """Predict the action after the newest one in the buffer."""


PREDICTORS: dict[str, Callable[..., Predictor]] = {}


def register(name: str) -> Callable[[type], type]:
    """Make a predictor class known by a name."""

    def remember(factory: type) -> type:
        PREDICTORS[name] = factory
        return factory

    return remember


def make_predictor(name: str, validity: Validity | None = None, **options: Any) -> Predictor:
    """Build the predictor of that name.

    Args:
        name: One of `PREDICTORS`.
        validity: What its predictions must satisfy, `Validity()` when left out.
        options: What that predictor takes beside.

    Raises:
        ValueError: When there is no predictor of that name, or an option is out of range.
    """
    if name not in PREDICTORS:
        raise ValueError(f"predictor is '{name}', expected one of {sorted(PREDICTORS)}")
    return PREDICTORS[name](validity or Validity(), **options)


def ridge_filter(count: int, penalty: float) -> np.ndarray:
    """Give the weights with which ridge regression on time sums the past to the next value.

    SP-VLA: X = [t 1] with t = 0 ... n-1 (the origin is ours: penalising the intercept makes it
    matter), beta = (X^T X + lambda I)^-1 X^T Y, next = [n 1] beta. X is fixed, so the next
    value is a fixed linear combination of the past ones.

    Args:
        count: Past values n, at least 1.
        penalty: lambda, on the intercept too.

    Returns:
        Weights, float64 [n], oldest first.
    """
    design = np.stack([np.arange(count, dtype=np.float64), np.ones(count)], axis=1)
    gram = design.T @ design + penalty * np.eye(2)
    weights: np.ndarray = np.linalg.solve(gram, np.array([count, 1.0])) @ design.T
    return weights


@register('ridge')
class RidgePredictor:
    """Ridge regression of the buffered actions on the time index (SP-VLA).

    Args:
        validity: What predictions must satisfy.
        penalty: lambda, above 0.
        fit: `translation_rotation` (the paper's figure) or `translation` (its code), which
            leaves rotations out; the columns that are not fitted, grippers among them, repeat
            the last action.

    Raises:
        ValueError: When the penalty or `fit` is outside its range.
    """

    source = Source.RIDGE

    def __init__(
        self, validity: Validity, penalty: float = 1e-4, fit: str = 'translation_rotation'
    ) -> None:
        if not 0 < penalty < inf:
            raise ValueError(f'ridge penalty is {penalty}, expected above 0 and finite')
        if fit not in FITS:
            raise ValueError(f"fit is '{fit}', expected one of {sorted(FITS)}")
        self._validity = validity
        self._penalty = penalty
        self._fit = fit
        self._filters: list[np.ndarray] = []

    def predict(self, buffer: ActionBuffer) -> Prediction:
        """Predict the action after the newest one in the buffer."""
        count = len(buffer)
        validity = self._validity
        if count < validity.min_actions:
            return Prediction(None, 'too_few_actions')
        while len(self._filters) <= count:
            self._filters.append(ridge_filter(max(len(self._filters), 1), self._penalty))
        space = buffer.space
        fitted, repeated = space.extrapolated[self._fit]
        row = self._filters[count].dot(buffer.values).tolist()
        last = buffer.rows[-1]
        for i in repeated:
            row[i] = last[i]
        if validity.change != 'ignore':
            largest = np.maximum.reduce(buffer.changes).tolist()
            for i in fitted:
                change = row[i] - last[i]
                bound = largest[i]
                if change > bound or change < -bound:
                    if validity.change == 'reject':
                        return Prediction(None, 'prediction_changes_too_fast')
                    row[i] = last[i] + (bound if change > 0 else -bound)
        fault = validity.fault(row, space, last)
        return Prediction(None, fault) if fault else Prediction(np.array(row), 'predicted')


@register('hold')
class HoldPredictor:
    """Repeat the last action: on a scripted expert the better predictor.

    Args:
        validity: What predictions must satisfy; a single action is enough to repeat.
    """

    source = Source.HOLD

    def __init__(self, validity: Validity) -> None:
        self._validity = validity

    def predict(self, buffer: ActionBuffer) -> Prediction:
        """Predict the action after the newest one in the buffer."""
        last = buffer.last
        if last is None:
            return Prediction(None, 'too_few_actions')
        row = buffer.rows[-1]
        fault = self._validity.fault(row, buffer.space, row)
        return Prediction(None, fault) if fault else Prediction(last.values, 'predicted')
