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

"""Fuzz the arm's guard and the readers of foreign files for long: `make fuzz`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
import sys
import time

from benchmarks.fuzz import guard, joints
from benchmarks.fuzz.files import fuzz
from benchmarks.fuzz.readers import readers


def messages(seed: int, count: int, what: str, life: Callable) -> bool:
    """Fuzz a guard, say what was found, and return whether all was safe."""
    begun_s = time.monotonic()
    unsafe, reasons = guard.run(seed, count, life)
    said = ', '.join(f'{name} {number}' for name, number in reasons.most_common())
    print(f'{what}: {count} messages in {time.monotonic() - begun_s:.0f} s: {said}', flush=True)
    for each in unsafe[:20]:
        print(f'  UNSAFE: {each}')
    print(f'unsafe: {len(unsafe)}', flush=True)
    return not unsafe


def files(seed: int, runs: int, seconds: float, out: Path) -> bool:
    """Fuzz the readers, keep what broke one, and return whether none did."""
    sound = True
    for reader in readers():
        found = fuzz(reader, seed, runs, seconds)
        print(
            f'{reader.name}: {found.runs} files, {found.refused} refused, '
            f'{len(found.lines)} lines reached, {len(found.bad)} findings',
            flush=True,
        )
        for number, (place, (what, content)) in enumerate(sorted(found.bad.items())):
            sound = False
            out.mkdir(parents=True, exist_ok=True)
            kept = out / f'{reader.name.replace(" ", "_")}_{number}'
            kept.write_bytes(content)
            print(f'  {place}: {what} ({kept})', flush=True)
    return sound


def main() -> int:
    """Fuzz; return 0 when nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('--seed', type=int, default=0, help='of all random numbers (%(default)s)')
    add('--messages', type=int, default=1_000_000, metavar='N', help='of a tool (%(default)s)')
    add('--joints', type=int, default=300_000, metavar='N', help='of joints (%(default)s)')
    add('--runs', type=int, default=20_000, metavar='N', help='files a reader (%(default)s)')
    add('--seconds', type=float, default=300, metavar='S', help='at most a reader (%(default)s)')
    add('--out', type=Path, default=Path('out/fuzz'), help='what broke a reader (%(default)s)')
    options = parser.parse_args()
    games = ((options.messages, 'tool', guard.play), (options.joints, 'joints', joints.play))
    safe = [messages(options.seed, count, what, life) for count, what, life in games if count]
    sound = not options.runs or files(options.seed, options.runs, options.seconds, options.out)
    return 0 if all(safe) and sound else 1


if __name__ == '__main__':
    sys.exit(main())
