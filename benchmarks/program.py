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

"""One benchmark as a program: its options, a table on the screen, an exit status."""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json

from benchmarks.figures import Report, to_markdown


def main(measure: Callable[..., Report], text: str) -> int:
    """Run one benchmark and show what it found.

    Args:
        measure: Takes `seconds` by name; without, its own default counts.
        text: What it does, for `--help`.

    Returns:
        The exit status: 0 when every bar is cleared.
    """
    parser = argparse.ArgumentParser(description=text.splitlines()[0])
    parser.add_argument('--seconds', type=float, help='how long to measure, warm-up apart')
    parser.add_argument('--json', action='store_true', help='print JSON instead of tables')
    options = parser.parse_args()
    report = measure(**({'seconds': options.seconds} if options.seconds else {}))
    found = report.to_dict()
    print(json.dumps(found, ensure_ascii=False) if options.json else to_markdown(found))
    return 0 if report.holds else 1
