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

"""One array against the original's: how far it may differ, and by how much it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import re
import zipfile

import numpy as np

# Patterns of arrays' names, and the largest absolute difference of each; the first that fits.
Tolerances = Sequence[tuple[str, float]]
# OpenVLA's. Each stage starts from this package's own result of the
# one before, so a difference is never reset on the way.
TOLERANCES: Tolerances = (
    (r'pixel_values.*|dino\d+|siglip\d+', 1e-6),
    (r'projector\d+|hidden\d+|last_logits\d+|step_logits_action\d+|gap\d+', 1e-4),
    (r'attn_text_rows\d+', 1e-5),
    (r'l1_actions\d+|proprio_normalised', 1e-6),
    (r'(film_)?(l1|discrete)_hidden\d+|film_l1_actions\d+', 1e-5),
    (r'gen_ids\d+|action_.*|tok_table_.*|crop\d+_\d+|lanczos\d+|(film_)?discrete_actions\d+', 0.0),
)
# The residual stream grows with depth, and float32's steps with it.
HIDDEN_RELATIVE = 2e-6


class FixtureError(ValueError):
    """A fixture folder that cannot be compared with, with the reason."""


@dataclass(frozen=True)
class Comparison:
    """One array against the original's.

    Attributes:
        array: Its name in the fixture.
        shape: As stored.
        difference: Largest absolute difference, None where none can be formed.
        tolerance: Largest that passes.
        passed: Whether it holds.
        note: What is wrong where there is no difference, or why the tolerance is what it is.
    """

    array: str
    shape: tuple[int, ...]
    difference: float | None
    tolerance: float
    passed: bool
    note: str = ''


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """Read an npz file.

    Raises:
        FixtureError: When it is missing or no npz of plain arrays.
    """
    if not file.exists():
        raise FixtureError(f'{file} is missing')
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FixtureError(f'{file} cannot be read: {error}') from error


def needed(
    file: Path, arrays: Mapping[str, np.ndarray], name: str, shape: Sequence[int | None] = ()
) -> np.ndarray:
    """Give an array that a fixture must hold.

    Args:
        file: That the arrays are from.
        arrays: By name.
        name: The wanted one's.
        shape: Its shape, None where a size may be any; nothing for any shape.

    Raises:
        FixtureError: When it is not there, or of another shape.
    """
    if name not in arrays:
        raise FixtureError(f'{file} has no array {name}')
    found = arrays[name].shape
    fits = len(found) == len(shape) and all(
        size in (None, there) for there, size in zip(found, shape, strict=True)
    )
    if shape and not fits:
        wanted = ', '.join('n' if size is None else str(size) for size in shape)
        raise FixtureError(f'{file} has {name} of {list(found)}, expected [{wanted}]')
    return arrays[name]


def answers_of(file: Path, stored: Mapping[str, np.ndarray], names: Iterable[str]) -> None:
    """Check that a fixture has an answer of each case: without, little would be compared.

    Raises:
        FixtureError: When one is not there.
    """
    missing = [name for name in names if name not in stored]
    if missing:
        raise FixtureError(f'{file} has no {missing[0]}, expected the actions of each case')


def rows_of(file: Path, arrays: Mapping[str, np.ndarray], name: str, count: int) -> np.ndarray:
    """Give an array of rows' numbers, each from 0 to below `count`; see `needed`."""
    found = needed(file, arrays, name, (None,))
    if found.size and not 0 <= found.min() <= found.max() < count:
        raise FixtureError(
            f'{file} has rows {found.min()} to {found.max()} in {name}, expected 0 to {count - 1}'
        )
    return found


def tolerance_of(
    name: str, theirs: np.ndarray | None = None, tolerances: Tolerances | None = None
) -> float:
    """Give the tolerance of an array, 0 where nothing else is said."""
    tolerances = TOLERANCES if tolerances is None else tolerances
    tolerance = next((t for pattern, t in tolerances if re.fullmatch(pattern, name)), 0.0)
    if name.startswith('hidden') and theirs is not None and theirs.size:
        return max(tolerance, HIDDEN_RELATIVE * float(np.abs(theirs).max()))
    return tolerance


Tolerance = Callable[[str, np.ndarray | None], float]


def compare(
    name: str,
    ours: np.ndarray | None,
    theirs: np.ndarray | None,
    tolerance_of: Tolerance = tolerance_of,
) -> Comparison:
    """Compare one array; either may be missing, which fails."""
    tolerance = tolerance_of(name, theirs)
    shape = tuple((ours if theirs is None else theirs).shape)
    if theirs is None:
        return Comparison(name, shape, None, tolerance, False, 'not in the fixture')
    if ours is None:
        return Comparison(name, shape, None, tolerance, False, 'nothing here computes it')
    if ours.shape != theirs.shape:
        return Comparison(name, shape, None, tolerance, False, f'ours is {list(ours.shape)}')
    gap = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    difference = float(gap.max()) if gap.size else 0.0
    if not np.isfinite(difference):
        return Comparison(name, shape, None, tolerance, False, 'not finite')
    return Comparison(name, shape, difference, tolerance, bool(difference <= tolerance))


def compare_all(
    ours: dict[str, np.ndarray],
    theirs: dict[str, np.ndarray],
    tolerance_of: Tolerance = tolerance_of,
) -> list[Comparison]:
    """Compare all arrays of a file, in our order and then what only the fixture has."""
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [compare(name, ours.get(name), theirs.get(name), tolerance_of) for name in names]
