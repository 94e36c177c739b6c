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
from typing import Any

import torch

from vla_accel_ros.acceleration import grammar
from vla_accel_ros.bench import subjects
from vla_accel_ros.bench.subjects import Subject
from vla_accel_ros.engines.eager import EAGER


def names(text: str) -> list[str]:
    """Read a list of engines, each `name[@key=value]`.

    Raises:
        ValueError: When the list is empty, or an engine is unknown or comes twice.
    """
    found = grammar.split(text)
    if not found:
        raise ValueError('no engine is given, expected at least one, such as eager')
    for name in found:
        if found.count(name) > 1:
            raise ValueError(f"engine '{name}' comes twice")
        if name != EAGER.name:
            raise ValueError(f"engine is '{name}', expected eager")
    return found


def ready(engine: str, threads: int | None, model: str, **how: Any) -> Subject:
    """Make a model ready on an engine.

    Args:
        engine: One of `names`.
        threads: Of this process; as they are if None.
        model: As `subjects.find` knows it.
        how: The other arguments of `subjects.find`.

    Raises:
        ValueError: As `subjects.find`.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    return replace(subjects.find(model, **how), engine=EAGER, engine_name=engine)
