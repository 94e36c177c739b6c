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

"""What a run may write: what is somebody else's is refused before any work is done.

Of a file its content says whether the same tool made it; of a folder see `output_folder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
import json
import os
from pathlib import Path
import shutil

from vla_accel_ros.files.locks import Lock
from vla_accel_ros.files.whole_files import is_special

# Says of a file or folder that is there whether the same tool made it.
Ours = Callable[[Path], bool]


class OutputError(ValueError):
    """An output that must not be written; the message names it and says what to do."""


def check_file(path: Path, option: str, ours: Ours) -> None:
    """Refuse a file that a run must not write, before it does any work; nothing is made.

    Args:
        path: The file.
        option: Of the command line, for the message.
        ours: Whether a file that is there is an earlier output of the same tool.

    Raises:
        OutputError: When it is a folder, a file of others, in what is no folder, or cannot be
            written.
        TakenError: When another run is writing to it.
    """
    if path.is_dir():
        raise OutputError(f'{option} is the folder {path}, expected a file')
    if is_special(path):
        return
    if path.is_file() and path.stat().st_size and not ours(path):
        raise OutputError(
            f'{option} is {path}, a file that is there already and that this command did not '
            'make: choose another name'
        )
    check_place(path, option)
    Lock.beside(path).probe()


def check_apart(named: Mapping[str, Path | None]) -> None:
    """Refuse two outputs, or an input and an output, that are one file.

    Args:
        named: Paths by their options; None where one is not given.

    Raises:
        OutputError: When two lead to the same place.
    """
    places: dict[str, str] = {}
    for option, path in named.items():
        if path is None or is_special(path):
            continue
        other = places.setdefault(os.path.realpath(path), option)
        if other != option:
            raise OutputError(f'{other} and {option} are the same file, {path}: name two')


def check_outside(out: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output folder that is an input, or lies within one.

    Raises:
        OutputError: When it does.
    """
    place = Path(os.path.realpath(out))
    for given in inputs:
        source = Path(os.path.realpath(given))
        if source == place or (source.is_dir() and source in place.parents):
            raise OutputError(
                f'--out is {out}, within what is read, {given}: choose another folder'
            )


def json_with(*keys: str) -> Ours:
    """Return what takes a JSON file for ours: an object with all of these keys."""

    def ours(path: Path) -> bool:
        try:
            found = json.loads(path.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            return False
        return isinstance(found, dict) and all(key in found for key in keys)

    return ours


def beginning(text: str, within: int = 0) -> Ours:
    """Return what takes a file for ours: it begins with a text, or has it in its first bytes."""

    def ours(path: Path) -> bool:
        try:
            with path.open('rb') as file:
                head = file.read(max(within, len(text.encode())))
        except OSError:
            return False
        return text.encode() in head if within else head.startswith(text.encode())

    return ours


def needed(path: Path, size: int) -> None:
    """Refuse to begin what the disk has no room for.

    Args:
        path: Where it is to be written.
        size: Of it, bytes.

    Raises:
        OutputError: When less is free.
    """
    place = path
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < size:
        raise OutputError(f'{path} will take {in_gb(size)}, and the disk has {in_gb(free)} left')


def in_gb(size: int) -> str:
    """Return a number of bytes in words, such as '14 GB' or '0.3 GB'."""
    return f'{size / 1e9:.0f} GB' if size >= 1e10 else f'{size / 1e9:.1f} GB'


def check_place(path: Path, option: str, folder: bool = False) -> None:
    """Refuse a place where no file can be made.

    Args:
        path: Of the file.
        option: Of the command line, for the message.
        folder: Whether the path is of the folder that the file is to lie in.

    Raises:
        OutputError: When it is below a file, or its folder cannot be written.
    """
    place = Path(os.path.realpath(path))
    if not folder:
        place = place.parent
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise OutputError(f'{option} is {path}, but {place} is no folder')
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f'{option} is {path}, but {place} cannot be written')
