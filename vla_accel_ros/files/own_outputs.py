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

"""Files of an evaluation: where they lie, and which of those that are there it made itself."""

from __future__ import annotations

from pathlib import Path

from vla_accel_ros.files.outputs import beginning, json_with
from vla_accel_ros.files.whole_files import write_whole

__all__ = [
    'SOFTWARE',
    'journal_beside',
    'of_evaluation',
    'of_page',
    'of_picture',
    'of_plot',
    'report_file',
    'write_whole',
]

# What the head of every page holds; older ones only say what they may load.
_MADE_BY = beginning('<meta name="predictor" content="vla-accel">', within=1000)
_OLDER = beginning("img-src data: blob:; style-src 'unsafe-inline'; script-src 'sha256-", 1000)

# What a picture says of who made it, wherever its format has room for that.
SOFTWARE = ('Software', 'vla-accel')
_PLOTS = (b'Software\0vla-accel', b'<dc:title>vla-accel</dc:title>', b'/Creator (vla-accel)')
of_picture = beginning('\0'.join(SOFTWARE), within=4096)
of_evaluation = json_with('checkpoint', 'environment', 'clock', 'methods', 'complete')


def of_page(path: Path) -> bool:
    """Return whether a file is a page of this product."""
    return _MADE_BY(path) or _OLDER(path)


def of_plot(path: Path) -> bool:
    """Return whether a picture, a PNG, SVG or PDF, says that it was made here."""
    data = path.read_bytes()
    return any(mark in data for mark in _PLOTS)


def journal_beside(out: Path) -> Path:
    """Return where the episodes of a report are kept."""
    return out.with_name(f'{out.name}.episodes.jsonl')


def report_file(path: Path) -> Path:
    """Return the page that a folder or a file ending in .html means; nothing is made.

    Raises:
        ValueError: When the path is a file of another kind.
    """
    if path.suffix == '.html':
        return path
    if path.exists() and not path.is_dir():
        raise ValueError(f'--report is {path}, expected a folder or a file ending in .html')
    return path / 'report.html'
