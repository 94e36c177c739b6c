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

"""How far actions depart from others on the same frames: per step, in the gripper, summed up.

Of several arms the one that departs furthest counts, and of joints the one that does. Actions are
float64 [n, width], columns as the space says; NaN is what is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vla_accel_ros.action_columns import ColumnKind, Part
from vla_accel_ros.action_space import GRIPPER_MIDDLE, ActionSpace
from vla_accel_ros.sim.rotations import to_matrix, to_vector

# A transition that comes earlier or later by more than this, in frames, is another one.
REACH = 20


def lengths(space: ActionSpace) -> tuple[Part, ...]:
    """Return what is measured in metres: translations, and joints that slide."""
    return tuple(part for part in space.parts if part.unit == 'm')


def turns(space: ActionSpace) -> tuple[Part, ...]:
    """Return the rotations of tools."""
    return tuple(part for part in space.parts if part.kind is ColumnKind.ROTATION)


def joints(space: ActionSpace) -> tuple[Part, ...]:
    """Return the joints that turn."""
    return tuple(p for p in space.parts if p.unit == 'rad' and not p.kind.is_vector)


def translation_mm(actions: np.ndarray, others: np.ndarray, space: ActionSpace) -> np.ndarray:
    """Return the distance of what is in metres, float64 [n] mm, NaN where one is not known."""
    return 1e3 * _furthest(lengths(space), actions - others)


def joint_rad(actions: np.ndarray, others: np.ndarray, space: ActionSpace) -> np.ndarray:
    """Return the difference of the joint that departs most, float64 [n] rad, NaN as above."""
    return _furthest(joints(space), actions - others)


def rotation_deg(actions: np.ndarray, others: np.ndarray, space: ActionSpace) -> np.ndarray:
    """Return the angle between rotations, float64 [n] degrees, NaN where one is not known."""
    angles = np.full((len(actions), len(turns(space))), np.nan)
    for arm, part in enumerate(turns(space)):
        pairs = zip(actions[:, part.columns], others[:, part.columns], strict=True)
        for at, (first, second) in enumerate(pairs):
            if np.isfinite(first).all() and np.isfinite(second).all():
                angles[at, arm] = np.linalg.norm(to_vector(to_matrix(first) @ to_matrix(second).T))
    return np.degrees(angles.max(axis=1))


def gripper_error(actions: np.ndarray, others: np.ndarray, space: ActionSpace) -> np.ndarray:
    """Return how far apart each gripper is, float64 [n * grippers], 0 as one to 1 opposite."""
    return np.abs(actions - others)[:, space.grippers].T.ravel()


def gripper_agrees(actions: np.ndarray, others: np.ndarray, space: ActionSpace) -> np.ndarray:
    """Return whether both are open or both closed.

    Returns:
        float64 [n * grippers] 0 or 1, one gripper after the other, NaN where not known.
    """
    first, second = (rows[:, space.grippers].T.ravel() for rows in (actions, others))
    agrees = ((first >= GRIPPER_MIDDLE) == (second >= GRIPPER_MIDDLE)).astype(np.float64)
    agrees[np.isnan(first) | np.isnan(second)] = np.nan
    return agrees


def transition_frames(actions: np.ndarray, others: np.ndarray, space: ActionSpace) -> np.ndarray:
    """Return how many frames later each opening or closing comes than that of the others.

    Returns:
        float64 [transitions of the others], one gripper after the other, negative where it comes
        earlier, NaN where there is none within `REACH` frames.
    """
    found = [_late(actions[:, at], others[:, at]) for at in space.grippers]
    return np.concatenate([np.empty(0), *found])


def drift_mm(
    actions: np.ndarray, others: np.ndarray, space: ActionSpace, steps: int
) -> np.ndarray:
    """Return how far apart both end up over every window of so many steps, float64 [windows] mm.

    A step without an action is one on which the arm stands still. Windows in which what is
    compared with is not known are left out; there is none where the episode is shorter.

    Args:
        actions: What is judged.
        others: What it is compared with.
        space: What the columns are.
        steps: Length of a window.
    """
    return 1e3 * _drift(lengths(space), actions, others, steps)


def drift_rad(
    actions: np.ndarray, others: np.ndarray, space: ActionSpace, steps: int
) -> np.ndarray:
    """Return the same of the joint that ends furthest apart, float64 [windows] rad."""
    return _drift(joints(space), actions, others, steps)


def _furthest(parts: Sequence[Part], apart: np.ndarray) -> np.ndarray:
    return np.array([part.sizes(apart) for part in parts]).max(axis=0)


def _drift(
    parts: Sequence[Part], actions: np.ndarray, others: np.ndarray, steps: int
) -> np.ndarray:
    if len(actions) < steps:
        return np.empty(0)
    ends = np.array([_ends(part, actions, others, steps) for part in parts]).max(axis=0)
    return ends[np.isfinite(ends)]


def _ends(part: Part, actions: np.ndarray, others: np.ndarray, steps: int) -> np.ndarray:
    """Give the distance at the end of each window, NaN where it is not known."""
    mine, theirs = actions[:, part.columns], others[:, part.columns]
    missing = np.isnan(theirs).any(axis=1)
    if part.absolute:
        apart = _held(mine)[steps - 1 :] - theirs[steps - 1 :]
    else:
        moved = np.nan_to_num(mine) - np.nan_to_num(theirs)
        total = np.concatenate([np.zeros_like(moved[:1]), np.cumsum(moved, axis=0)])
        apart = total[steps:] - total[:-steps]
    unknown = np.concatenate([[0], np.cumsum(missing)])
    whole = unknown[steps:] == unknown[:-steps]
    sizes = np.linalg.norm(apart, axis=1) if part.kind.is_vector else np.abs(apart).max(1)
    return np.where(whole, sizes, np.nan)


def _held(rows: np.ndarray) -> np.ndarray:
    """Give rows of positions, each that is not known as the one before; the first may be NaN."""
    known = np.isfinite(rows).all(axis=1)
    last = np.maximum.accumulate(np.where(known, np.arange(len(rows)), 0))
    return rows[last]


def _late(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    mine, others = _transitions(ours), _transitions(theirs)
    late = np.full(len(others), np.nan)
    for at, (frame, closes) in enumerate(others):
        near = [f - frame for f, c in mine if c == closes and abs(f - frame) <= REACH]
        if near:
            late[at] = min(near, key=abs)
    return late


def _transitions(gripper: np.ndarray) -> list[tuple[int, bool]]:
    """Return the steps at which a gripper closes (True) or opens, unknown ones left out."""
    known = np.flatnonzero(np.isfinite(gripper))
    closed = gripper[known] >= GRIPPER_MIDDLE
    return [
        (int(known[at]), bool(closed[at])) for at in np.flatnonzero(closed[1:] != closed[:-1]) + 1
    ]
