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

"""Coverage-guided fuzzing of readers: what reaches new lines is changed further."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
import random
import sys
import tempfile
import time

from benchmarks.fuzz.mutate import changed
from benchmarks.fuzz.readers import ROOT, Reader

PACKAGE = str(ROOT / 'vla_accel_ros')
# What takes longer to read is a finding, too: these files are small.
SLOWEST_S = 10.0


@dataclass
class Found:
    """What came of one reader.

    Attributes:
        runs: Files that were read.
        refused: How many of them were refused as they should be.
        lines: Lines of this package that were reached.
        corpus: Files that reached new ones.
        bad: What was raised that may not be, by where it was raised; with the file.
    """

    runs: int = 0
    refused: int = 0
    lines: set[tuple[str, int]] = field(default_factory=set)
    corpus: list[bytes] = field(default_factory=list)
    bad: dict[str, tuple[str, bytes]] = field(default_factory=dict)


def reached(call: Callable[[], object]) -> tuple[set[tuple[str, int]], BaseException | None]:
    """Run a call; return the lines of this package that it reached, and what it raised."""
    lines: set[tuple[str, int]] = set()

    def trace(frame, event, _argument):
        name = frame.f_code.co_filename
        if not name.startswith(PACKAGE):
            return None
        if event == 'line':
            lines.add((name, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return lines, error
    finally:
        sys.settrace(before)
    return lines, None


def fuzz(reader: Reader, seed: int, runs: int, seconds: float = float('inf')) -> Found:
    """Read changed files until there were enough, or the time is over.

    Args:
        reader: The kind of file.
        seed: Of the changes.
        runs: Files to read.
        seconds: At most.
    """
    dice, found, begun_s = random.Random(seed), Found(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix='fuzz-') as root:
        folder = Path(root)
        reader.make(folder)
        file = folder / reader.file
        sound = file.read_bytes()
        lines, error = reached(lambda: reader.read(folder))
        if error is not None:
            raise RuntimeError(f'{reader.name}: the sound file is not read: {error!r}')
        found.lines |= lines
        found.corpus.append(sound)
        while found.runs < runs and time.monotonic() - begun_s < seconds:
            content = changed(dice.choice(found.corpus), dice)
            file.write_bytes(content)
            since_s = time.monotonic()
            lines, error = reached(lambda: reader.read(folder))
            found.runs += 1
            if time.monotonic() - since_s > SLOWEST_S:
                found.bad.setdefault('slow', (f'took over {SLOWEST_S} s', content))
            if isinstance(error, reader.allowed):
                found.refused += 1
                if '\n' in str(error):
                    found.bad.setdefault('lines', (f'more than a line: {error}', content))
            elif error is not None:
                found.bad.setdefault(_place(error), (repr(error)[:300], content))
            if lines - found.lines:
                found.lines |= lines
                found.corpus.append(content)
    return found


def _place(error: BaseException) -> str:
    """Return the last line of this package that an error came through."""
    place, trace = type(error).__name__, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(PACKAGE):
            place = f'{type(error).__name__} at {name.removeprefix(PACKAGE)}:{trace.tb_lineno}'
        trace = trace.tb_next
    return place
