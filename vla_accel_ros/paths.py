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

"""Where the files lie that come with the package: configuration, launch files, checkpoints."""

from __future__ import annotations

from pathlib import Path
import sys

from vla_accel_ros.files.links import dangling

# The checkpoint that is meant where none is named, by nodes and commands.
DEFAULT_CHECKPOINT = 'tabletop-s'
PACKAGE = 'vla_accel_ros'
# What `peft` writes beside a low-rank adapter.
ADAPTER = 'adapter_config.json'
_CODE = Path(__file__).resolve().parent


def _share_folders() -> list[Path]:
    """List the folders that may hold share files, the one nearest to this code first.

    A source tree wins over an installed copy: code and configuration belong together.
    """
    folders = []
    if (_CODE.parent / 'package.xml').is_file():
        folders.append(_CODE.parent)
    # colcon: PREFIX/lib/pythonX.Y/site-packages/vla_accel_ros; pip: the same below sys.prefix.
    folders += [
        prefix / 'share' / PACKAGE
        for prefix in [*_CODE.parents, Path(sys.prefix)]
        if (prefix / 'share' / PACKAGE / 'package.xml').is_file()
    ]
    try:
        from ament_index_python.packages import get_package_share_directory

        folders.append(Path(get_package_share_directory(PACKAGE)))
    except (ImportError, LookupError, OSError):
        # No ROS, another workspace, or AMENT_PREFIX_PATH not set.
        pass
    return folders


def user_path(name: str | Path) -> Path:
    """Return a path that a user wrote, with `~` as the home folder where there is one."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        # No such user, or one without a home: the path as it is written is not there.
        return Path(name)


def share_file(name: str) -> Path:
    """Return the path of a file of `launch/` or `config/`, in source tree or installation.

    Args:
        name: Path relative to the package, such as 'config/arm.yaml'.

    Returns:
        The absolute path of a file that exists.

    Raises:
        FileNotFoundError: When no folder has it; the message lists where it was sought.
    """
    folders = _share_folders()
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    sought = ', '.join(str(folder) for folder in folders) or 'no share folder at all'
    raise FileNotFoundError(f'{name} of {PACKAGE} not found in {sought}')


def share_files(folder: str, pattern: str) -> tuple[Path, ...]:
    """Return the files of a folder of `config/` that match, by name.

    Args:
        folder: Path relative to the package, such as 'config/presets'.
        pattern: As `Path.glob` takes it.

    Returns:
        Those of the first place that has the folder; none where no place has it.
    """
    found = next((place / folder for place in _share_folders() if (place / folder).is_dir()), None)
    return () if found is None else tuple(sorted(found.glob(pattern)))


def shipped_checkpoints() -> dict[str, Path]:
    """Return the checkpoints that come with the package, folder by name."""
    root = _CODE / 'checkpoints'
    return {file.parent.name: file.parent for file in sorted(root.glob('*/config.json'))}


def checkpoint_folder(name: str | Path) -> Path:
    """Return the folder of a checkpoint given by name or by path.

    Args:
        name: A shipped checkpoint such as 'tabletop-s', or the path of a folder.

    Returns:
        A folder that holds a `config.json`.

    Raises:
        FileNotFoundError: When there is none; the message lists the shipped ones.
    """
    shipped = shipped_checkpoints()
    if str(name) in shipped:
        return shipped[str(name)]
    folder = user_path(name)
    if (folder / 'config.json').is_file():
        return folder
    why = 'is no folder'
    if folder.is_dir():
        why = dangling(folder / 'config.json') or 'has no config.json'
    if (folder / ADAPTER).is_file():
        why = (
            f'is a low-rank adapter ({ADAPTER}), no checkpoint: merge it into the model that '
            'it adapts first, by merge_and_unload() of the package peft'
        )
    raise FileNotFoundError(
        f'checkpoint {str(name)!r} {why}, and no shipped checkpoint is called so '
        f'(shipped: {", ".join(shipped) or "none"})'
    )
