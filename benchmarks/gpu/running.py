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

"""Running a part: a process with a deadline, which is asked to stop before it is made to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
import signal
import subprocess
import sys
import time

from benchmarks.gpu.plan import Part
from vla_accel_ros.evaluation.conditions import ROOT

# What a process that is asked to stop gets for writing down what it has.
GRACE_S = 25.0
# Last lines of its output that are kept.
KEPT = 25


@dataclass(frozen=True)
class Outcome:
    """How a part ended.

    Attributes:
        name: The part's.
        command: What was run.
        seconds: What it took.
        code: Exit status; None where it was not run.
        remark: Why it was not run, or was stopped; empty else.
        tail: Last lines of its output.
    """

    name: str
    command: str
    seconds: float
    code: int | None
    remark: str
    tail: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether it ran to its end."""
        return self.code == 0 and not self.remark

    def plain(self) -> dict[str, object]:
        """Give it as plain values."""
        return asdict(self)


def skipped(part: Part, why: str) -> Outcome:
    """Say that a part was not run."""
    return Outcome(part.name, _command(part), 0.0, None, why)


def run(part: Part, folder: Path, seconds: float) -> Outcome:
    """Run a part.

    It is interrupted once its time is over, and killed if it does not end then.

    Args:
        part: What to run.
        folder: Where its output goes meanwhile.
        seconds: Seconds that are left for it, the grace included.
    """
    log = folder / f'.{part.name}.log'
    begin = time.monotonic()
    limit = min(part.seconds, seconds)
    remark = ''
    with log.open('w+', encoding='utf-8', errors='replace') as file:
        process = subprocess.Popen(
            [sys.executable, '-u', '-m', *part.words], cwd=ROOT, stdout=file, stderr=file
        )
        try:
            code = process.wait(max(limit - GRACE_S, limit / 2))
        except subprocess.TimeoutExpired:
            remark = f'stopped after {time.monotonic() - begin:.0f} s'
            process.send_signal(signal.SIGINT)
            code = _end(process)
        except BaseException:
            # Whoever stops the run stops its process, too.
            process.send_signal(signal.SIGINT)
            _end(process)
            raise
    lines = log.read_text(encoding='utf-8', errors='replace').splitlines()
    log.unlink()
    took = time.monotonic() - begin
    return Outcome(part.name, _command(part), round(took, 1), code, remark, tuple(lines[-KEPT:]))


def _end(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _command(part: Part) -> str:
    return ' '.join(('python3', '-m', *part.words))
