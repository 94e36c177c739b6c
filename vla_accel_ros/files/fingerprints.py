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
"""What tells bags and checkpoints from others, whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence
import hashlib
import os
from pathlib import Path

# What is larger is hashed by samples: its size and so many blocks, evenly spread.
HASHED_WHOLE = 256 << 20
SAMPLES, BLOCK = 64, 1 << 20


def of_files(files: Sequence[Path]) -> str:
    """Return names, sizes and SHA-256 of files as one hash; of large ones only samples."""
    digest = hashlib.sha256()
    total = sum(file.stat().st_size for file in files)
    whole = total <= HASHED_WHOLE
    for file in files:
        size = file.stat().st_size
        digest.update(os.fsencode(f'{file.name} {size}\n'))
        step = BLOCK if whole else max(size // SAMPLES, BLOCK)
        with open(file, 'rb') as stream:
            for start in range(0, size, step):
                stream.seek(start)
                digest.update(stream.read(BLOCK))
    how = 'sha256' if whole else f'sha256 of {SAMPLES} MiB of each file'
    return f'{how} {digest.hexdigest()}, {total} bytes'


def of_folder(folder: Path) -> str:
    """Return the same of a checkpoint's files."""
    return of_files(sorted(path for path in folder.iterdir() if path.is_file()))
