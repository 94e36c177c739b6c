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

"""LIBERO, where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
import os
from pathlib import Path

from vla_accel_ros.environments.optional import REMEDIES, import_optional
from vla_accel_ros.sim.gl import import_mujoco

PREFIX = 'libero'


def import_libero(name: str):
    """Import a module of LIBERO.

    Raises:
        ValueError: When it is not installed, or was never set up; says what to do.
    """
    try:
        there = find_spec('libero.libero') is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        raise ValueError(f'libero is not installed: {REMEDIES[PREFIX]}')
    folder = Path(os.environ.get('LIBERO_CONFIG_PATH', '~/.libero')).expanduser()
    if not (folder / 'config.yaml').is_file():
        # It would ask on the terminal, at import.
        raise ValueError(
            f'LIBERO is not set up, there is no {folder}/config.yaml: run `python -c "import '
            'libero.libero"` once and answer'
        )
    # First: robosuite imports mujoco too, without asking what renders here.
    import_mujoco()
    return import_optional(f'libero.libero{name}')
