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
from vla_accel_ros.options import check_options, option
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

    Raises:
        ValueError: When a value is outside its range.
    """

    max_translation: float = option(
        0.05, 'Largest predicted displacement of a step', unit='m', range=(0.0001, 1.0)
    )
    max_rotation: float = option(
        0.3, 'Largest predicted rotation of a step', unit='rad', range=(0.0001, 3.1416)
    )
    # SP-VLA's released code clips, too; each column by its own largest change.
    change: str = option(
        'clip',
        'What becomes of a prediction that changes faster than the buffer did',
        choices=('clip', 'ignore', 'reject'),
    )
    min_actions: int = option(3, 'Fewest buffered actions that the ridge fits to', range=(2, 32))

    def __post_init__(self) -> None:
        check_options(self)

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
@dataclass
class RidgePredictor:
    """Ridge regression of the buffered actions on the time index (SP-VLA).

    Columns that are not fitted, the gripper among them, repeat the last action. The paper's figure
    has translation and rotation fitted, its code the translation.

    Args:
        validity: What predictions must satisfy.

    Raises:
        ValueError: When the penalty or `fit` is outside its range.
    """

    source = Source.RIDGE

    validity: Validity
    penalty: float = option(
        1e-4, 'Lambda of the ridge; larger trusts the trend less', range=(1e-9, 1000.0)
    )
    fit: str = option(
        'translation_rotation',
        'What the ridge fits; the rest repeats the last action',
        choices=tuple(FITS),
    )

    def __post_init__(self) -> None:
        check_options(self)
        self._filters: list[np.ndarray] = []

    def predict(self, buffer: ActionBuffer) -> Prediction:
        """Predict the action after the newest one in the buffer."""
        count = len(buffer)
        validity = self.validity
        if count < validity.min_actions:
            return Prediction(None, 'too_few_actions')
        while len(self._filters) <= count:
            self._filters.append(ridge_filter(max(len(self._filters), 1), self.penalty))
        space = buffer.space
        fitted, repeated = space.extrapolated[self.fit]
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

    An absolute position is not repeated, which would stop the joint: its last change is.

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
        row, space = buffer.rows[-1], buffer.space
        values = last.values
        if len(space.positions) and len(buffer) > 1:
            values = values.copy()
            values[space.positions] += (values - buffer.values[-2])[space.positions]
        fault = self._validity.fault(values.tolist(), space, row)
        return Prediction(None, fault) if fault else Prediction(values, 'predicted')
