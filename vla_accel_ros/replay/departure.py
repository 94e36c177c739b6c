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

"""How far actions depart from others on the same frames: per step, in the gripper, summed up."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.sim.rotations import to_matrix, to_vector

TOOL = END_EFFECTOR.tool()
CLOSED = 0.5
# A transition that comes earlier or later by more than this, in frames, is another one.
REACH = 20


def translation_mm(actions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance of displacements, float64 [n] mm, NaN where one is not known.

    Args:
        actions: float64 [n, 7], m, rad, gripper.
        others: The same shape.
    """
    return 1e3 * np.linalg.norm(actions[:, TOOL.translation] - others[:, TOOL.translation], axis=1)


def rotation_deg(actions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the angle between rotations, float64 [n] degrees, NaN where one is not known."""
    angles = np.full(len(actions), np.nan)
    pairs = zip(actions[:, TOOL.rotation], others[:, TOOL.rotation], strict=True)
    for at, (first, second) in enumerate(pairs):
        if np.isfinite(first).all() and np.isfinite(second).all():
            angles[at] = np.linalg.norm(to_vector(to_matrix(first) @ to_matrix(second).T))
    return np.degrees(angles)


def gripper_agrees(actions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return whether both are open or both closed, float64 [n] 0 or 1, NaN where not known."""
    first, second = actions[:, TOOL.gripper], others[:, TOOL.gripper]
    agrees = ((first > CLOSED) == (second > CLOSED)).astype(np.float64)
    agrees[np.isnan(first) | np.isnan(second)] = np.nan
    return agrees


def transition_frames(actions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how many frames later each opening or closing comes than that of the others.

    Returns:
        float64 [transitions of the others], negative where it comes earlier, NaN where there is
        none within `REACH` frames.
    """
    ours, theirs = _transitions(actions[:, TOOL.gripper]), _transitions(others[:, TOOL.gripper])
    late = np.full(len(theirs), np.nan)
    for at, (frame, closes) in enumerate(theirs):
        near = [f - frame for f, c in ours if c == closes and abs(f - frame) <= REACH]
        if near:
            late[at] = min(near, key=abs)
    return late


def drift_mm(actions: np.ndarray, others: np.ndarray, steps: int) -> np.ndarray:
    """Return how far apart both end up over every window of so many steps.

    A step without an action is one on which the arm stands still. Windows in which what is
    compared with is not known are left out.

    Args:
        actions: float64 [n, 7].
        others: float64 [n, 7].
        steps: Length of a window.

    Returns:
        float64 [windows] mm, none where the episode is shorter.
    """
    if len(actions) < steps:
        return np.empty(0)
    moved = np.nan_to_num(actions[:, TOOL.translation]) - others[:, TOOL.translation]
    total = np.concatenate([np.zeros_like(moved[:1]), np.cumsum(np.nan_to_num(moved), axis=0)])
    unknown = np.concatenate([[0], np.cumsum(np.isnan(moved).any(axis=1))])
    ends = 1e3 * np.linalg.norm(total[steps:] - total[:-steps], axis=1)
    return ends[unknown[steps:] == unknown[:-steps]]


def _transitions(gripper: np.ndarray) -> list[tuple[int, bool]]:
    """Return the steps at which a gripper closes (True) or opens, unknown ones left out."""
    known = np.flatnonzero(np.isfinite(gripper))
    closed = gripper[known] > CLOSED
    return [
        (int(known[at]), bool(closed[at])) for at in np.flatnonzero(closed[1:] != closed[:-1]) + 1
    ]
