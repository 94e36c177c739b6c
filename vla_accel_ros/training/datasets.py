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

"""The sets of frames of a recipe: made when a stage first needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.action_units import units_of
from vla_accel_ros.training.collect import collect
from vla_accel_ros.training.dagger import collect_dagger
from vla_accel_ros.training.frames import Frames, FrameSpec
from vla_accel_ros.training.recipe import Recipe
from vla_accel_ros.training.rollout import Rollout
from vla_accel_ros.training.tokens import statistics
from vla_accel_ros.training.worlds import world_of

LEAST_SPAN = 0.02


def spec_of(recipe: Recipe, name: str) -> FrameSpec:
    """Return what a set of a recipe holds.

    Raises:
        ValueError: When what the recipe's world needs is not installed.
    """
    wanted, world = recipe.data[name], world_of(recipe.world)
    return FrameSpec(
        wanted.frames,
        recipe.model.image_size,
        recipe.cameras,
        world.facts().objects,
        recipe.asked(wanted),
        recipe.chunk(wanted.kind),
        max(1, recipe.model.chunk),
        recipe.jpeg,
        recipe.world,
        world.saves,
        f'{wanted.kind} from seed {wanted.seed}, {wanted.disturbance}',
    )


class Maker(Protocol):
    """What is asked of the training run that sets are made for."""

    out: Path
    folder: Path
    recipe: Recipe
    workers: int
    stopped: bool

    def say(self, text: str) -> None:
        """Tell the user."""

    def rollout(self) -> Rollout:
        """Return the policy as its weights are now, for DAgger."""

    def export(self) -> None:
        """Write it into `folder`."""


def opened(trainer: Maker, names: Iterable[str]) -> dict[str, Frames]:
    """Return sets of the recipe, as far as they are made."""
    return {
        name: Frames.create(trainer.out / 'frames' / name, spec_of(trainer.recipe, name))
        for name in names
    }


def prepare(trainer: Maker, names: Iterable[str]) -> dict[str, Frames]:
    """Return sets of the recipe, making what is not there.

    DAgger's frames are made with the weights as they are at this moment. A trainer that is
    stopped meanwhile gets them as far as they are.
    """
    sets = opened(trainer, names)
    for name, frames in sets.items():
        if frames.done.all():
            continue
        recipe = trainer.recipe.data[name]
        trainer.say(f'making {len(frames)} {recipe.kind} frames: {name}')
        progress = Tenths(trainer.say)
        alone = not world_of(trainer.recipe.world).saves
        if recipe.kind == 'dagger' and not alone:
            collect_dagger(frames, recipe, trainer.rollout, progress, lambda: trainer.stopped)
        else:
            if recipe.kind == 'dagger':
                trainer.export()
            collect(
                frames.folder,
                recipe.kind,
                recipe.seed,
                recipe.disturbance,
                trainer.workers,
                progress,
                lambda: trainer.stopped,
                trainer.folder if recipe.kind == 'dagger' else None,
            )
        if trainer.stopped:
            break
        sets[name] = Frames(frames.folder)
    return sets


class Tenths:
    """Says how far something is, once a tenth of it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._said = say, 0

    def __call__(self, done: int, whole: int) -> None:
        """Take how much is done; say it if another tenth is."""
        if 10 * done // whole > self._said:
            self._said = 10 * done // whole
            self._say(f'{done} of {whole} frames')


def action_statistics(sets: dict[str, Frames], key: str) -> dict:
    """Return the statistics of all labels of the sets, and of proprioception.

    See `tokens.statistics`; of a label that looks ahead, its first action counts.

    Args:
        sets: Of frames.
        key: Name of the data set, which says the units of its statistics; see `action_units`.
    """
    labels, proprio = [], []
    for frames in sets.values():
        ready = frames.ready()
        steps = np.moveaxis(frames.arrays['actions'][ready], 2, 0)
        labels.append(steps[0].reshape(-1, END_EFFECTOR.width))
        proprio.append(frames.arrays['proprio'][ready])
    stats = statistics(np.concatenate(labels) / units_of(key))
    count = sum(len(part) for part in labels)
    return {
        **stats,
        'proprio': proprio_range(np.concatenate(proprio)),
        'num_transitions': int(count),
        'num_trajectories': 0,
    }


def proprio_range(values: np.ndarray) -> dict:
    """Return the quantiles that proprioception [n, numbers] is scaled by."""
    low, high = np.quantile(values.astype(np.float64), [0.01, 0.99], axis=0)
    # A number that never changes must not become noise, however small.
    wide = np.maximum(high - low, LEAST_SPAN)
    middle = (low + high) / 2
    return {
        'q01': (middle - wide / 2).tolist(),
        'q99': (middle + wide / 2).tolist(),
        'mask': [True] * len(low),
    }
