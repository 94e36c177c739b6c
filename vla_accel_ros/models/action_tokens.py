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

"""Between token ids and actions: bins, and the statistics of a data set."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.files.kinds import FieldError, Object, shown, take
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.checkpoints.norm_stats import QUANTILES, ranges
from vla_accel_ros.models.config import VLAConfig

# A step of a kilometre or of 1000 rad is none of an arm, in whatever unit.
LARGEST_BOUND = 1000.0


class UnnormKeyError(ValueError):
    """The un-normalisation key is missing or not among the checkpoint's."""


@dataclass(frozen=True)
class ActionTokens:
    """OpenVLA's action tokeniser: the last tokens of the vocabulary, in reverse, are bins.

    Attributes:
        vocab: Vocabulary of the tokeniser, without padding.
        bins: Edges on [-1, 1]; there is one centre less.
    """

    vocab: int = 32000
    bins: int = 256

    @cached_property
    def edges(self) -> np.ndarray:
        """Edges, float64 [bins]."""
        return np.linspace(-1, 1, self.bins)

    @cached_property
    def centres(self) -> np.ndarray:
        """Centres, float64 [bins - 1]."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    @property
    def first(self) -> int:
        """Smallest action id; the largest is `vocab` - 1."""
        return self.vocab - self.bins

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Give the normalised value of any token id; ids that are no bin are clipped to one.

        Args:
            ids: int array of any shape.

        Returns:
            float64 of the same shape, in (-1, 1).
        """
        index = np.clip(self.vocab - np.asarray(ids, dtype=np.int64) - 1, 0, self.bins - 2)
        return self.centres[index]

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Give the token id of normalised values, clipped to [-1, 1].

        Args:
            values: float array of any shape.

        Returns:
            int64 of the same shape.

        Raises:
            ValueError: When a value is not finite.
        """
        values = np.asarray(values, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f'cannot tokenise values that are not finite: {values}')
        return self.vocab - np.digitize(np.clip(values, -1, 1), self.edges).astype(np.int64)


@dataclass(frozen=True, eq=False)
class ActionStatistics:
    """Range of a data set's actions.

    Attributes:
        low: What -1 stands for, float64 [dims], in the data set's units (m, rad): the 1st
            percentile, or the smallest value.
        high: What 1 stands for, float64 [dims].
        mask: bool [dims]; False where an action is stored as it is (the gripper).

    Raises:
        ValueError: When the three differ in length, are not finite, or low is above high.
    """

    low: np.ndarray
    high: np.ndarray
    mask: np.ndarray

    def __post_init__(self) -> None:
        if not self.low.shape == self.high.shape == self.mask.shape or self.low.ndim != 1:
            raise ValueError(
                f'q01 {self.low.shape}, q99 {self.high.shape} and mask {self.mask.shape} of the '
                'action statistics differ in length'
            )
        if not (np.isfinite(self.low).all() and np.isfinite(self.high).all()):
            raise ValueError(f'action statistics are not finite: {self.low}, {self.high}')
        if (self.mask & (self.low > self.high)).any():
            raise ValueError(f'q01 {self.low} of the action statistics is above q99 {self.high}')

    def check_motion(
        self, where: str, absolute: Collection[int] = (), ends: tuple[str, str] = QUANTILES
    ) -> None:
        """Refuse a range that would move an arm whatever the model says, or beyond all reason.

        Of data sets whose arm never turned, say, public checkpoints have columns of zeros, which
        are all right: nothing is added.

        Args:
            where: The statistics' path, for the message.
            absolute: Columns that are positions: a joint that stays where it is is no fault.
            ends: What the lowest and the highest value are called.

        Raises:
            FieldError: When a column's q01 is its q99 and not zero, or a bound is too large.
        """
        first, last = ends
        for i in np.flatnonzero(self.mask):
            low, high, placed = self.low[i], self.high[i], i in absolute
            if low == high != 0 and not placed:
                raise FieldError(
                    f'{where}.{first}[{i}] is {shown(low)} as {last}[{i}] is, expected {first} '
                    f'below {last}: every action would move by that'
                )
            if max(abs(low), abs(high)) > LARGEST_BOUND:
                what = 'position' if placed else 'displacement per step'
                raise FieldError(
                    f'{where}.{last if abs(high) >= abs(low) else first}[{i}] is '
                    f'{shown(max(low, high, key=abs))}, expected a {what}, in m or rad, from '
                    f'-{LARGEST_BOUND:g} to {LARGEST_BOUND:g}'
                )
        if not (self.mask & (self.low < self.high)).any():
            raise FieldError(
                f'{where}.{first} is {last} in every column: no action would move the arm'
            )

    @classmethod
    def from_dict(cls, values: dict) -> ActionStatistics:
        """Read one data set's `action` entry of `norm_stats`.

        Raises:
            FieldError: When q01 or q99 is not there, or a value is not what it may be.
        """
        return cls(*ranges(values))

    def largest_step(self, space: ActionSpace = END_EFFECTOR) -> tuple[float, float]:
        """Give the longest displacement that a normalised action in [-1, 1] can ask for.

        Columns that the mask leaves as they are count as up to 1. Absolute positions do not
        count: statistics do not say how far apart two of them lie.

        Args:
            space: What the columns are.

        Returns:
            The largest of the columns in metres and of those in radians, per policy step: lengths
            of translations and of rotation vectors, and single joints; in m and rad where the
            statistics are, 0 where there are none.
        """
        reach = np.where(self.mask, np.maximum(np.abs(self.low), np.abs(self.high)), 1.0)
        largest = {'m': 0.0, 'rad': 0.0}
        for part in space.parts:
            if not part.absolute:
                size = part.norm(reach[part.columns])
                largest[part.unit] = max(largest[part.unit], size)
        return largest['m'], largest['rad']

    def unnormalise(self, values: np.ndarray, span_added: float = 0.0) -> np.ndarray:
        """Map normalised actions [..., dims] to the data set's units.

        Args:
            values: In [-1, 1], or beyond where they are regressed.
            span_added: Added to each column's span, as OFT does.
        """
        scaled = 0.5 * (values + 1) * (self.high - self.low + span_added) + self.low
        return np.where(self.mask, scaled, values)

    def normalise(self, values: np.ndarray) -> np.ndarray:
        """Map actions [..., dims] in the data set's units to [-1, 1], clipped where masked in."""
        span = self.high - self.low
        # A column that never moves has no span; it is stored as the middle.
        scaled = 2 * (values - self.low) / np.where(span > 0, span, 1) - 1
        scaled = np.where(span > 0, np.clip(scaled, -1, 1), 0.0)
        return np.where(self.mask, scaled, values)


def select_statistics(norm_stats: dict, unnorm_key: str | None) -> tuple[str, ActionStatistics]:
    """Choose a data set's action statistics.

    Args:
        norm_stats: By data set, as checkpoints store them.
        unnorm_key: The data set; may be None where there is only one.

    Returns:
        The key that holds, and its statistics.

    Raises:
        UnnormKeyError: When the key is not there, or is needed and missing; lists the keys.
        CheckpointError: When the data set's statistics cannot be used; the message names the
            entry.
    """
    unnorm_key = chosen_key(norm_stats, unnorm_key)
    try:
        return unnorm_key, moving_statistics(norm_stats[unnorm_key], unnorm_key)
    except FieldError as error:
        raise CheckpointError(f'statistics: {error}') from error


def chosen_key(norm_stats: dict, unnorm_key: str | None) -> str:
    """Choose a data set.

    Args:
        norm_stats: By data set, as checkpoints store them.
        unnorm_key: The data set; may be None where there is only one.

    Raises:
        UnnormKeyError: When the key is not there, or is needed and missing; lists the keys.
    """
    if not norm_stats:
        raise UnnormKeyError(
            'the checkpoint has statistics of no data set, expected some in '
            'dataset_statistics.json or as norm_stats in config.json'
        )
    keys = ', '.join(sorted(norm_stats))
    if unnorm_key is None:
        if len(norm_stats) != 1:
            raise UnnormKeyError(
                f'the checkpoint has statistics for {len(norm_stats)} data sets, so unnorm_key '
                f'must be one of: {keys}'
            )
        unnorm_key = next(iter(norm_stats))
    if unnorm_key not in norm_stats:
        raise UnnormKeyError(f"unnorm_key '{unnorm_key}' is not one of: {keys}")
    return unnorm_key


def moving_statistics(
    entry: object, key: str, space: ActionSpace | None = None, ends: tuple[str, str] = QUANTILES
) -> ActionStatistics:
    """Read a data set's action statistics, and check that an arm can be moved by them.

    Args:
        entry: The data set's entry of `norm_stats`.
        key: Its path, for the message.
        space: What the columns are; None for displacements.
        ends: As `norm_stats.ranges` takes them.

    Raises:
        FieldError: When they cannot be used.
    """
    action = take(Object().read(entry, key), 'action', Object(), {}, key)
    statistics = ActionStatistics(*ranges(action, f'{key}.action', ends))
    of_space = space is not None and space.width == len(statistics.low)
    absolute = space.positions.tolist() if of_space else ()
    statistics.check_motion(f'{key}.action', absolute, ends)
    return statistics


def to_si(
    normalised: np.ndarray,
    statistics: ActionStatistics,
    config: VLAConfig,
    space: ActionSpace = END_EFFECTOR,
) -> np.ndarray:
    """Un-normalise an action and bring its grippers to the product's convention.

    Args:
        normalised: float [..., width] in [-1, 1].
        statistics: Of the data set.
        config: Says whether the checkpoint's gripper is 1 when open.
        space: What the columns are.

    Returns:
        float64 [..., width]; m, rad, gripper 0 open to 1 closed.
    """
    values = statistics.unnormalise(normalised, config.head.span_added)
    grippers = values[..., space.grippers]
    values[..., space.grippers] = np.clip(
        1 - grippers if config.gripper_open_is_one else grippers, 0, 1
    )
    return values


def from_si(
    values: np.ndarray,
    statistics: ActionStatistics,
    config: VLAConfig,
    space: ActionSpace = END_EFFECTOR,
) -> np.ndarray:
    """Normalise an action in the product's convention: the inverse of `to_si`.

    Args:
        values: float [..., width]; m, rad, gripper 0 open to 1 closed.
        statistics: Of the data set.
        config: Says whether the checkpoint's gripper is 1 when open.
        space: What the columns are.

    Returns:
        float64 [..., width], in [-1, 1] where the values are within the data set's range.
    """
    values = np.array(values, dtype=np.float64)
    if config.gripper_open_is_one:
        values[..., space.grippers] = 1 - values[..., space.grippers]
    return statistics.normalise(values)
