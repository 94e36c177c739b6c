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

"""The engines that are compared, as `--engines` names them."""

from __future__ import annotations

from dataclasses import replace
import sys
from typing import Any

from vla_accel_ros.acceleration import grammar
from vla_accel_ros.bench.names import EAGER
from vla_accel_ros.engines import registry
from vla_accel_ros.engines.wish import EngineWish

# What may stand behind an @, and the option that it is.
SETTINGS = {
    'precision': 'engine_precision',
    'device': 'engine_device',
    'calibration': 'engine_calibration',
}


def names(text: str) -> list[str]:
    """Read a list of engines, each `name[@precision=...,device=...,calibration=FILE]`.

    Raises:
        ValueError: When the list is empty, or an engine cannot be read or comes twice.
    """
    found = grammar.split(text)
    if not found:
        raise ValueError('no engine is given, expected at least one, such as eager')
    for name in found:
        if found.count(name) > 1:
            raise ValueError(f"engine '{name}' comes twice")
        wish_of(name)
    return found


def wish_of(text: str) -> EngineWish:
    """Read one engine; it is required, for what another one took is no time of this one.

    Raises:
        ValueError: When there is no such engine, precision or device, or another setting.
    """
    name, _, tail = (part.strip() for part in text.partition('@'))
    if name == registry.AUTO:
        raise ValueError(
            f'engine is auto, which takes one of the others: name some of {registry.names()}'
        )
    registry.find(name)
    settings = {}
    for piece in filter(None, (piece.strip() for piece in tail.split(','))):
        key, _, value = (part.strip() for part in piece.partition('='))
        if key not in SETTINGS:
            expected = ', '.join(f'{each}=...' for each in SETTINGS)
            raise ValueError(f"engine '{text}': '{piece}' is no setting, expected {expected}")
        settings[SETTINGS[key]] = value
    try:
        return EngineWish(name, engine_required=True, **settings)
    except ValueError as error:
        raise ValueError(f"engine '{text}': {error}") from None


def ready(engine: str, threads: int | None, model: str, **how: Any) -> Any:
    """Make a model ready on an engine; what is missing for it is built.

    Args:
        engine: One of `names`.
        threads: Of this process; as they are if None.
        model: As `subjects.find` knows it.
        how: The other arguments of `subjects.find`.

    Returns:
        A `subjects.Subject`.

    Raises:
        ValueError: As `subjects.find`, or when the engine cannot run here.
    """
    import torch

    from vla_accel_ros.bench import subjects
    from vla_accel_ros.models.engine_choice import Means, choose

    if threads is not None:
        torch.set_num_threads(threads)
    subject = subjects.find(model, **how)
    if engine == EAGER:
        return subject
    means = Means(built=lambda built: print(f'bench: {built}', file=sys.stderr), check=False)
    try:
        chosen = choose(subject.policy(), wish_of(engine), means)
    except ValueError as error:
        raise ValueError(f"engine '{engine}' cannot run here: {error}") from None
    return replace(subject, engine=chosen.engine, engine_name=engine)
