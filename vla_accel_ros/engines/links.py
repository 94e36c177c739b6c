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

"""One file in the folders of several entries."""

from __future__ import annotations

from pathlib import Path
import shutil


def share(file: Path, folder: Path) -> Path:
    """Put a file of another entry into a folder, by a hard link or else as a copy.

    Raises:
        OSError: When it cannot be put there.
    """
    there = folder / file.name
    try:
        there.hardlink_to(file)
    except OSError:
        # Not every file system has hard links, and those that have end at its border.
        shutil.copyfile(file, there)
    return there
