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

"""Files on every machine of a cluster: those that are not there yet are sent.

They go through Ray's object store in pieces, one at a time, so that a checkpoint may be larger
than any store. A machine that has the same files under the same path, as with a file system of
all machines, gets none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
import shutil
import tempfile

from vla_accel_ros.files.fingerprints import of_files
from vla_accel_ros.paths import user_path

# Bytes.
PIECE = 16 << 20
VARIABLE = 'VLA_ACCEL_RECEIVED'


@dataclass(frozen=True)
class Sent:
    """A file or folder that every machine has.

    Attributes:
        path: Where it lies on the machine that it comes from.
        mark: What tells its content from others.
    """

    path: str
    mark: str

    @classmethod
    def of(cls, path: Path) -> Sent:
        """Describe what lies on this machine."""
        return cls(str(path.resolve()), mark_of(path))

    def here(self) -> Path | None:
        """Return where this machine has it; None where it has not."""
        for place in (Path(self.path), self.received()):
            if place.exists() and mark_of(place) == self.mark:
                return place
        return None

    def received(self) -> Path:
        """Return where this machine keeps it once it is sent."""
        return received_folder() / hashlib.sha256(self.mark.encode()).hexdigest()[:32] / self.name

    @property
    def name(self) -> str:
        """Its own name, without the folder that it lies in."""
        return Path(self.path).name


def received_folder() -> Path:
    """Return the folder for what a machine is sent.

    It is what the environment variable `VLA_ACCEL_RECEIVED` says, else `vla_accel_ros/received` in
    the user's folder for caches.
    """
    if named := os.environ.get(VARIABLE):
        return user_path(named)
    caches = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return user_path(caches) / 'vla_accel_ros' / 'received'


def files_of(path: Path) -> list[Path]:
    """List the files of a folder, without hidden ones, or the file itself."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob('*')
        if file.is_file() and not any(p.startswith('.') for p in file.relative_to(path).parts)
    )


def mark_of(path: Path) -> str:
    """Return what tells the content of a file or folder from others."""
    files = files_of(path)
    names = '\n'.join(file.relative_to(path).as_posix() for file in files)
    return f'{of_files(files)} {hashlib.sha256(os.fsencode(names)).hexdigest()}'


def pieces(path: Path) -> Iterator[tuple[str, bytes]]:
    """Give all files of a path in pieces, each with the file's name below it."""
    for file in files_of(path):
        name = file.relative_to(path).as_posix()
        with file.open('rb') as stream:
            piece = stream.read(PIECE)
            yield name, piece
            while piece := stream.read(PIECE):
                yield name, piece


class Receiver:
    """Writes what one machine is sent; runs there.

    Args:
        sent: What is to come.
    """

    def __init__(self, sent: Sent) -> None:
        self._sent, self._folder = sent, None

    def has(self) -> bool:
        """Return whether it is there already."""
        return self._sent.here() is not None

    def write(self, name: str, piece: bytes) -> None:
        """Add a piece to a file."""
        if self._folder is None:
            received_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder = Path(tempfile.mkdtemp(prefix='.coming-', dir=received_folder()))
        whole = self._folder / self._sent.name
        target = whole if name == '.' else whole / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open('ab') as file:
            file.write(piece)

    def finish(self) -> None:
        """Put it in its place, all at once.

        Raises:
            ValueError: When it is not what was sent.
        """
        place = self._sent.received().parent
        try:
            if mark_of(self._folder / self._sent.name) != self._sent.mark:
                raise ValueError(f'{self._sent.path} has changed while it was sent')
            # A process on the same machine may have been quicker.
            if self._sent.here() is None:
                shutil.rmtree(place, ignore_errors=True)
                self._folder.rename(place)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def places(sent: Sequence[Sent]) -> dict[str, Path]:
    """Return where this machine has what was sent, by the path that it comes from.

    Raises:
        FileNotFoundError: When it has not.
    """
    found = {each.path: each.here() for each in sent}
    for path, place in found.items():
        if place is None:
            raise FileNotFoundError(f'{path} was sent, and is not in {received_folder()}')
    return found
