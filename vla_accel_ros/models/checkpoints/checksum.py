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
"""A checksum beside the weights: damage that still loads would otherwise drive the arm."""

from __future__ import annotations

import hashlib
from pathlib import Path
import re

from vla_accel_ros.models.checkpoints.json_file import CheckpointError, read_text

ENDING = '.sha256'


def checksum_file(weights: Path) -> Path:
    """Give the file beside the weights that holds their checksum."""
    return weights.with_name(weights.name + ENDING)


def digest(file: Path) -> str:
    """Give a file's SHA-256, in hexadecimal.

    Raises:
        OSError: When it cannot be read.
    """
    with file.open('rb') as opened:
        return (
            hashlib.file_digest(opened, 'sha256').hexdigest()
            if hasattr(hashlib, 'file_digest')
            else _digest_by_parts(opened)
        )


def _digest_by_parts(opened) -> str:
    # Python 3.10 has no file_digest.
    whole = hashlib.sha256()
    while part := opened.read(2**20):
        whole.update(part)
    return whole.hexdigest()


def line(weights: Path) -> str:
    """Give what the checksum file of weights holds, as `sha256sum --check` reads it.

    Raises:
        OSError: When the weights cannot be read.
    """
    return f'{digest(weights)}  {weights.name}\n'


def check(weights: Path) -> bool:
    """Compare weights with the checksum beside them.

    Returns:
        Whether there is one.

    Raises:
        CheckpointError: When they differ, or the checksum cannot be read.
    """
    file = checksum_file(weights)
    if not (file.exists() or file.is_symlink()):
        return False
    expected = re.match(r'[0-9a-fA-F]{64}\b', read_text(file))
    if expected is None:
        raise CheckpointError(
            f'{file} does not begin with a SHA-256 of 64 hexadecimal digits, as sha256sum writes'
        )
    try:
        found = digest(weights)
    except OSError as error:
        raise CheckpointError(f'{weights} cannot be read: {error.strerror or error}') from error
    if found != expected[0].lower():
        raise CheckpointError(
            f'{weights} is not what {file.name} was made of (SHA-256 {found[:12]}…, expected '
            f'{expected[0][:12].lower()}…): it is damaged, or was replaced. If you replaced it, '
            f'delete {file}; if not, copy or download it again'
        )
    return True
