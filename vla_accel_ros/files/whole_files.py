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

"""Files that appear whole or not at all, wherever a path leads.

A file is written beside its place and moved there. A link is followed: its target is replaced and
the link stays. What is there and is no file, such as a device, a pipe or the standard output, is
written to and never replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
import os
from pathlib import Path
import re
import shutil
import stat
import sys
import tempfile

STDOUT = ('/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', '/proc/thread-self/fd/1')
# Such a path names what a process has open, even where a file is behind it.
_OPENED = re.compile(r'/dev/(stdin|stdout|stderr|fd/\d+)|/proc/.+/fd/\d+')
_MOST_LINKS = 40


def plain(text: str) -> str:
    r"""Return text that UTF-8 can hold.

    A path that is no UTF-8 comes with surrogates, which become escapes such as `\udce4`.
    """
    return text.encode('utf-8', 'backslashreplace').decode('utf-8')


def is_stdout(path: Path) -> bool:
    """Return whether a path is a name of this process's standard output."""
    return any(str(step) in STDOUT for step in _links(path))


def is_special(path: Path) -> bool:
    """Return whether a path leads to what is written to and never replaced."""
    return any(_OPENED.fullmatch(str(step)) for step in _links(path)) or (
        path.exists() and not path.is_file() and not path.is_dir()
    )


def write_whole(path: Path, text: str) -> None:
    """Write a text as UTF-8, whole or not at all; its folder is made.

    Raises:
        OSError: When it cannot be written; the message names the path.
    """
    data = text.encode('utf-8', 'backslashreplace')
    replace_whole(path, lambda file: file.write_bytes(data))


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file, whole or not at all; its folder is made.

    Mode and owner of a file that is there are kept.

    Args:
        path: Where it goes.
        write: Given the path to write to, which ends as `path` does.

    Raises:
        OSError: When it cannot be written; the message names the path.
    """
    path = Path(path)
    with naming(path):
        if is_special(path):
            _write_through(path, write)
            return
        # A link that leads nowhere leads to where the file will be.
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(f'{path} is a folder, expected a file')
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = _new_file(target)
        try:
            write(beside)
            _settle(beside, target)
            os.replace(beside, target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have errors of the system name a path, where they name none or only a file beside it."""
    try:
        yield
    except OSError as error:
        other = error.filename is None or str(path) not in os.fsdecode(error.filename)
        if error.errno is None or not other:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error


def _links(path: Path) -> Iterator[Path]:
    """Yield a path and what it leads to, a link at a time."""
    step = Path(os.path.abspath(path))
    for _ in range(_MOST_LINKS):
        yield step
        if not step.is_symlink():
            return
        step = Path(os.path.normpath(step.parent / os.readlink(step)))


def _new_file(target: Path) -> Path:
    """Make an empty file beside another; a name as long as can be leaves no room for more."""
    handle, name = tempfile.mkstemp(
        prefix='.vla-accel-', suffix=target.suffix[:16], dir=target.parent
    )
    os.close(handle)
    return Path(name)


def _settle(beside: Path, target: Path) -> None:
    """Give a file the mode and the owner of the one that it replaces, or those of a new one."""
    try:
        before = target.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o666 & ~mask)
        return
    with suppress(PermissionError):
        os.chown(beside, before.st_uid, before.st_gid)
    beside.chmod(stat.S_IMODE(before.st_mode))


def _write_through(path: Path, write: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory(prefix='vla-accel-') as folder:
        made = Path(folder) / f'made{path.suffix[:16]}'
        write(made)
        if is_stdout(path):
            # Opened anew it would begin at the start of the file that it may lead to.
            sys.stdout.write(made.read_bytes().decode('utf-8', 'replace'))
            sys.stdout.flush()
            return
        with made.open('rb') as whole, open(os.open(path, os.O_WRONLY | os.O_APPEND), 'wb') as out:
            shutil.copyfileobj(whole, out)
