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

"""Files of which a git checkout holds only the pointer, because git-lfs did not fetch them."""

from __future__ import annotations

from pathlib import Path

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: the first line of every pointer.
_BEGINNING = b'version https://git-lfs'


def pointer(path: str | Path) -> bool:
    """Say whether a file is a git-lfs pointer; False where it cannot be read."""
    path = Path(path)
    try:
        # Of a pipe or a device nothing may be read: it would wait, or never end.
        if not path.is_file():
            return False
        with path.open('rb') as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


def complaint(path: str | Path) -> str | None:
    """Give what to say of a file that is a git-lfs pointer, None where it is none."""
    if not pointer(path):
        return None
    folder = Path(path).resolve().parent
    return f'{path} is a git-lfs pointer, not the file itself: run git lfs pull in {folder}'
