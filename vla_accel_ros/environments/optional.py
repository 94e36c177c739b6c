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

"""Simulators that are no dependency of the package: where they are missing, say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
import io
import logging
from types import ModuleType

REMEDIES = {
    'sapien': '`make simpler`, or pip install mani-skill==3.0.1 in an environment of its own',
    'mani_skill': '`make simpler`, or pip install mani-skill==3.0.1 in an environment of its own',
    'robosuite': "pip install '.[robosuite]' in this repository, in an environment of its own",
    'libero': "`make libero`, or pip install '.[libero]' in an environment of its own",
    'simplejpeg': "`make libero`, or pip install '.[libero]' in an environment of its own",
}


def import_optional(name: str) -> ModuleType:
    """Import a module that not everybody has, without its chatter.

    Raises:
        ValueError: When it or something that it needs is missing; says what to do.
    """
    try:
        with quiet():
            return import_module(name)
    except ModuleNotFoundError as error:
        top = name.partition('.')[0]
        missing = error.name or name
        if missing.partition('.')[0] == top:
            what = f'{missing} is not installed'
        else:
            what = f'{name} needs {missing}, which is not installed'
        remedy = REMEDIES.get(top, 'is it in this environment, or on PYTHONPATH?')
        raise ValueError(f'{what}: {remedy}') from error


@contextmanager
def quiet() -> Iterator[None]:
    """Swallow warnings by the dozen about what nobody asked for, and prints between the JSON."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
