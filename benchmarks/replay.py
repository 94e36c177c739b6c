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

"""Measure replay: what reading costs beside the model, and that memory does not grow with a bag.

Two bags are made: 600 frames of the embedded arm, and one of 2 GiB (two cameras of 640x480, raw).
Each is replayed by `vla-accel replay` in a process of its own, whose memory is looked at from
outside.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import subprocess
import sys
import tempfile
import time

import numpy as np

from benchmarks.run import RESULTS
from vla_accel_ros.evaluation import conditions
from vla_accel_ros.replay.demo.writer import CAMERAS, BagWriter

STEP_S, NS = 0.05, 1_000_000_000
BEGIN_NS = 1_767_225_600 * NS
FRAMES, GIB = 600, 2.0
HEIGHT, WIDTH = 480, 640
LOOK_S = 0.25
# Of the run's samples, before which start-up and the first frames are.
WARM = 0.25


@dataclass(frozen=True)
class Bar:
    """One figure and what it may be at most.

    Attributes:
        what: What was measured.
        value: The figure.
        unit: Its unit.
        limit: The bar; None where there is none.
    """

    what: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bar is cleared."""
        return self.limit is None or self.value <= self.limit


def demo_bag(path: Path, frames: int) -> None:
    """Record episodes of the embedded arm until there are so many frames."""
    # An episode of the expert that lifts a cube has about 30.
    subprocess.run(
        [
            sys.executable,
            '-m',
            'vla_accel_ros.cli',
            'record-demo',
            '--expert',
            '--episodes',
            str(-(-frames // 25)),
            '--out',
            str(path),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def large_bag(path: Path, gib: float) -> int:
    """Write a bag of two cameras until it has so many GiB; return the number of frames."""
    frames = round(gib * 2**30 / (len(CAMERAS) * 3 * HEIGHT * WIDTH))
    rows = np.arange(HEIGHT * WIDTH * 3, dtype=np.uint32).reshape(HEIGHT, WIDTH, 3)
    with BagWriter(path, STEP_S) as bag:
        bag.instruction(BEGIN_NS - 1, 'pick up the red cube')
        for number in range(frames):
            stamp_ns = BEGIN_NS + number * round(STEP_S * NS)
            for camera in CAMERAS:
                bag.image(stamp_ns, camera, ((rows >> 4) + number).astype(np.uint8))
            bag.action(stamp_ns, np.zeros(7))
    return frames


def replay(bag: Path, out: Path) -> tuple[dict, np.ndarray]:
    """Replay a bag unaccelerated; return its results and the memory seen, MiB."""
    process = subprocess.Popen(
        [
            sys.executable,
            '-m',
            'vla_accel_ros.cli',
            'replay',
            str(bag),
            '--out',
            str(out),
            '--methods',
            'none',
        ],
        stdout=subprocess.DEVNULL,
    )
    seen = []
    while process.poll() is None:
        seen.append(_resident(process.pid))
        time.sleep(LOOK_S)
    if process.returncode:
        raise RuntimeError(f'replay of {bag} ended with {process.returncode}')
    return json.loads((out / 'results.json').read_text(encoding='utf-8')), np.array(seen)


def _resident(pid: int) -> float:
    try:
        text = Path(f'/proc/{pid}/status').read_text(encoding='utf-8')
    except FileNotFoundError:
        return 0.0
    found = [line.split()[1] for line in text.splitlines() if line.startswith('VmRSS')]
    return int(found[0]) / 1024 if found else 0.0


def measure(folder: Path, frames: int, gib: float) -> list[Bar]:
    """Make both bags in a folder and replay them."""
    demo_bag(folder / 'demo', frames)
    found, _ = replay(folder / 'demo', folder / 'demo_out')
    reading, page = found['reading'], folder / 'demo_out' / 'report.html'
    bars = [
        Bar(f'{found["frames"]} frames of the embedded arm: the run', reading['run_s'], 's'),
        Bar('its processor time', reading['cpu_s'], 's'),
        Bar('reading and decoding: processor time of that', reading['busy_s'], 's'),
        Bar(
            'reading and decoding: share of the processor time', 100 * reading['share'], '%', 10.0
        ),
        Bar('the model waited for frames', reading['waited_s'], 's'),
        Bar('report.html', page.stat().st_size / 1e6, 'MB', 15.0),
    ]
    count = large_bag(folder / 'large', gib)
    found, seen = replay(folder / 'large', folder / 'large_out')
    size = sum(file.stat().st_size for file in (folder / 'large').iterdir()) / 2**30
    assert found['frames'] == count, (found['frames'], count)
    during = seen[round(len(seen) * WARM) :]
    first, last = np.array_split(during, 2)
    return [
        *bars,
        Bar(f'a bag of {size:.2f} GiB, {count} frames: the run', found['reading']['run_s'], 's'),
        Bar('its largest resident memory', float(seen.max()), 'MiB', 1.5 * 1000**3 / 2**20),
        Bar(
            'growth from the first half of the run to the second, medians',
            float(np.median(last) - np.median(first)),
            'MiB',
            50.0,
        ),
    ]


def to_markdown(bars: list[Bar], facts: dict) -> str:
    """Return the table."""
    machine = facts['machine']
    lines = [
        f'# Replay on {machine["processor"]}, {machine["cores"]} cores',
        '',
        f'{facts["date"]}, by `{facts["command"]}`; others used '
        f'{facts["cpu shares"]["others"]:.0%} of the processors meanwhile.',
        '',
        '| what | figure | bar | |',
        '|---|---|---|---|',
    ]
    for bar in bars:
        limit = '' if bar.limit is None else f'≤ {bar.limit:.4g} {bar.unit}'
        verdict = '' if bar.limit is None else 'holds' if bar.holds else '**missed**'
        lines.append(f'| {bar.what} | {bar.value:.4g} {bar.unit} | {limit} | {verdict} |')
    return '\n'.join(lines) + '\n'


def main() -> int:
    """Run it; return 0 when every bar is cleared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--frames', type=int, default=FRAMES, help='of the embedded arm')
    parser.add_argument('--gib', type=float, default=GIB, help='of the large bag')
    parser.add_argument('--folder', type=Path, help='where the bags are made; a temporary one')
    parser.add_argument('--save', action='store_true', help='write to benchmarks/results')
    options = parser.parse_args()
    meter = conditions.CpuMeter()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bars = measure(Path(folder), options.frames, options.gib)
    facts = {
        'command': 'python -m benchmarks.replay',
        'date': conditions.today(),
        'machine': conditions.machine(),
        'versions': conditions.versions(),
        'cpu shares': meter.shares(),
    }
    text = to_markdown(bars, facts)
    print(text)
    if options.save:
        target = RESULTS / conditions.machine_kind(facts['machine'])
        target.mkdir(parents=True, exist_ok=True)
        (target / 'replay.md').write_text(text, encoding='utf-8')
        (target / 'replay.json').write_text(
            json.dumps(
                {**facts, 'bars': [{**asdict(b), 'holds': b.holds} for b in bars]}, indent=1
            )
            + '\n',
            encoding='utf-8',
        )
    return 0 if all(bar.holds for bar in bars) else 1


if __name__ == '__main__':
    sys.exit(main())
