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

"""What a program and the code that it runs are called, the same in every process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
import hashlib
import inspect
from pathlib import Path
from typing import Any

from torch import nn

from vla_accel_ros.engines.interface import EngineError, Program

_PACKAGE = Path(__file__).resolve().parents[2]
# What programs are made of, and what makes graphs of them.
_ROOMS = ('layers', 'engines/programs', 'engines/onnx')


def facts_of(program: Program, model: nn.Module) -> dict[str, str]:
    """Give a program's facts as text; a module is called by its place in the model.

    Raises:
        EngineError: When it has a module that is none of the model's.
    """
    places = {id(module): name or 'model' for name, module in model.named_modules()}
    found = {'program': program.name}
    for field in fields(program):  # type: ignore[arg-type]
        if field.compare:
            found[field.name] = _text(getattr(program, field.name), places, program.name)
    return found


def _text(value: Any, places: Mapping[int, str], program: str) -> str:
    owner = value if isinstance(value, nn.Module) else getattr(value, '__self__', None)
    if not isinstance(owner, nn.Module):
        return repr(value)
    if id(owner) not in places:
        raise EngineError(f'the program {program} uses a module that is none of the model')
    place = places[id(owner)]
    return place if owner is value else f'{place}.{value.__name__}'


def code_of(model: nn.Module) -> str:
    """Give a digest of the code of a model's modules and of all that makes graphs of them."""
    kinds = {kind for module in model.modules() for kind in type(module).__mro__}
    whole = hashlib.sha256()
    for file in sorted({*_room_files(), *_files(frozenset(kinds))}):
        whole.update(Path(file).read_bytes())
    return whole.hexdigest()


@cache
def _room_files() -> tuple[str, ...]:
    return tuple(str(file) for room in _ROOMS for file in (_PACKAGE / room).glob('*.py'))


@cache
def _files(kinds: frozenset[type]) -> tuple[str, ...]:
    own = [kind for kind in kinds if not kind.__module__.startswith(('torch.', 'builtins'))]
    files = []
    for kind in own:
        try:
            files.append(inspect.getsourcefile(kind))
        except TypeError:
            # Written in C.
            continue
    return tuple(file for file in files if file is not None)
