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

"""Files of an evaluation: where they lie, and that they appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
import tempfile


def journal_beside(out: Path) -> Path:
    """Return where the episodes of a report are kept."""
    return out.with_name(f'{out.stem}.episodes.jsonl')


def report_file(path: Path) -> Path:
    """Return the page that a folder or a file ending in .html means; its folder is made.

    Raises:
        ValueError: When the path is a file of another kind.
        OSError: When there can be no such folder.
    """
    file = path if path.suffix == '.html' else path / 'report.html'
    if path.suffix != '.html' and path.is_file():
        raise ValueError(f'--report is {path}, expected a folder or a file ending in .html')
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def write_whole(path: Path, text: str) -> None:
    """Write a file beside and move it into place; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
