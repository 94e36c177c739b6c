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

"""What a run keeps to go on from, and whether a recipe may go on from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
import io
from pathlib import Path
import pickle

import torch

from vla_accel_ros.files.whole_files import replace_whole
from vla_accel_ros.training.recipe import Recipe
from vla_accel_ros.training.recipe_checks import short

STATE = 'state.pt'
_KEYS = ('optimiser', 'stage', 'step', 'stats', 'lines')
# Of a recipe and of a stage: what no weight depends on.
_NO_WEIGHTS = ('episodes', 'evaluate')
_MOST_DIFFERENCES = 3


class StateError(ValueError):
    """A run cannot go on from what is kept of it; the message says why."""


def write_state(folder: Path, state: dict, recipe: Recipe, only: int | None) -> None:
    """Keep a run's state, whole or not at all.

    Args:
        folder: Of the run.
        state: Tensors and plain values, with at least `optimiser`, `stage`, `step`, `stats` and
            `lines`.
        recipe: That is followed.
        only: Frames of each set that are trained on; None for all.

    Raises:
        OSError: When it cannot be written; the message names the path.
    """
    buffer = io.BytesIO()
    # torch's own writer says of a disk that is full only where in its code that was.
    torch.save({**state, 'recipe': _plain(recipe, only)}, buffer)
    replace_whole(folder / STATE, lambda file: file.write_bytes(buffer.getbuffer()))


def read_state(
    folder: Path, recipe: Recipe, only: int | None, device: torch.device
) -> dict | None:
    """Return what `write_state` kept; None where there is nothing.

    The recipe may have other stages after the one under way than the one that was followed.

    Raises:
        StateError: When it cannot be read, or what decided it so far is not what the recipe says.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise StateError(
            f'{path} cannot be read as the state of a run: {short(str(error))}'
        ) from error
    missing = [key for key in _KEYS if not isinstance(state, dict) or key not in state]
    if missing:
        raise StateError(f'{path} has no {", ".join(missing)}, expected the state of a run')
    # Older states do not say what was followed.
    if 'recipe' in state:
        # All stages may be done.
        begun = min(state['stage'] + 1, len(state['recipe']['stages']))
        found = list(
            _differences(_used(state['recipe'], begun), _used(_plain(recipe, only), begun))
        )
        if found:
            more = len(found) - _MOST_DIFFERENCES
            raise StateError(
                f'{folder} holds a run of another recipe: {"; ".join(found[:_MOST_DIFFERENCES])}'
                f'{f"; and {more} more" if more > 0 else ""}. Choose another --out, or remove '
                'that folder'
            )
    return state


def _plain(recipe: Recipe, only: int | None) -> dict:
    return {**asdict(recipe), 'only': only}


def _used(values: dict, begun: int) -> dict:
    """Return what decides the weights of the first stages."""
    stages = values['stages'][:begun]
    names = {name for each in stages for name in each['mix']} | {*values['statistics']}
    return {
        **_without(values),
        'stages': tuple(map(_without, stages)),
        'data': {name: values['data'][name] for name in sorted(names)},
    }


def _without(values: dict) -> dict:
    return {name: value for name, value in values.items() if name not in _NO_WEIGHTS}


def _differences(before: object, now: object, where: str = '') -> Iterator[str]:
    """Say where two sets of plain values differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in {**before, **now}:
            inside = f'{where}.{name}' if where else name
            yield from _differences(before.get(name), now.get(name), inside)
    elif isinstance(before, tuple) and isinstance(now, tuple):
        if len(before) != len(now):
            yield f'{where} are {len(now)}, the run has {len(before)}'
            return
        for index, pair in enumerate(zip(before, now, strict=True)):
            yield from _differences(*pair, f'{where}[{index}]')
    elif before != now:
        yield f'{where} is {short(now)}, the run has {short(before)}'
