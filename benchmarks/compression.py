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

"""How many action tokens a compressed observation changes, by kind and quality.

The unaccelerated policy drives episodes on raw frames; each checkpoint then answers the same
frames after they were written and read in each way, as scheduler and inference do it. A number of
a checkpoint without tokens counts as changed where it moves by half a bin.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
import json
from pathlib import Path
import sys
import time
from types import SimpleNamespace

import numpy as np

from benchmarks.token_changes import FIRST_SEED, Frame, _motion, drive, in_bins
from vla_accel_ros.acceleration import BASELINE, apply_method, parse
from vla_accel_ros.evaluation import runner, seeds
from vla_accel_ros.inputs.compression import JPEG, PNG, QUALITY, compress
from vla_accel_ros.inputs.pictures import compressed_to_array
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.paths import checkpoint_folder

CHECKPOINTS = 'tabletop-s,tabletop-m,tabletop-m-oft,tabletop-flow'
WAYS = ((PNG, 0), *((JPEG, quality) for quality in (100, 98, 95, 90, 80, 60)))
RESULTS = Path(__file__).parent / 'results'
TITLES = (
    'checkpoint',
    'sent as',
    'changed',
    'bins off, mean',
    'bytes a frame',
    'raw',
    'write',
    'read',
)


def measure(
    policy: Policy, episodes: list[list[Frame]], step_s: float, kind: str, quality: int
) -> dict[str, float]:
    """Answer all frames as they are after their way over the link."""
    changed, off, sizes, wrote_s, read_s = [], [], [], [], []
    for frames in episodes:
        policy.reset()
        for frame in frames:
            views = frame.observation.images
            stacked = np.ascontiguousarray(np.concatenate(views))
            begun = time.perf_counter()
            data = compress(stacked, kind, quality)
            between = time.perf_counter()
            seen = compressed_to_array(SimpleNamespace(data=data, format=kind))
            read_s.append(time.perf_counter() - between)
            wrote_s.append(between - begun)
            sizes.append(len(data))
            images = tuple(np.split(seen, len(views)))
            answer = policy.predict(
                replace(frame.observation, images=images),
                motion=_motion(frame.last, step_s),
                draft=frame.last,
            )
            distance = np.abs(in_bins(policy, answer) - frame.bins)
            changed.append(np.mean(distance >= 0.5))
            off.append(np.mean(distance))
    return {
        'changed': 100 * float(np.mean(changed)),
        'off': float(np.mean(off)),
        'bytes': float(np.mean(sizes)),
        'raw_bytes': stacked.nbytes,
        'write_ms': 1e3 * float(np.median(wrote_s)),
        'read_ms': 1e3 * float(np.median(read_s)),
    }


def page(rows: list[dict]) -> str:
    """Write what was measured as a table."""
    lines = [
        '# Compressed observations',
        '',
        'What `python -m benchmarks.compression` measured. A changed number is another token or, '
        'where a checkpoint has none, one that is half a bin off. The frames are drawn by the '
        'simulator: those of a real camera have noise, and are larger as PNG. Frames a '
        f'checkpoint: {rows[0]["frames"]}.',
        '',
        f'| {" | ".join(TITLES)} |',
        '|---' * len(TITLES) + '|',
    ]
    for row in rows:
        name = row['kind'] if row['kind'] == PNG else f'{row["kind"]} {row["quality"]}'
        lines.append(
            f'| {row["checkpoint"]} | {name} | {row["changed"]:.2f} % | {row["off"]:.3f} | '
            f'{row["bytes"]:.0f} | {row["raw_bytes"]} | '
            f'{row["write_ms"]:.2f} ms | {row["read_ms"]:.2f} ms |'
        )
    return '\n'.join(
        [*lines, '', f'The robot side sends png; the default quality of jpeg is {QUALITY}.', '']
    )


def main(argv: list[str] | None = None) -> int:
    """Measure, and write the table to `benchmarks/results`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoints', default=CHECKPOINTS)
    parser.add_argument('--episodes', type=int, default=4)
    parser.add_argument('--longest', type=int, default=40, help='frames of an episode at most')
    parser.add_argument('--results', type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    numbers = seeds.require('tuning', FIRST_SEED, options.episodes)
    texts = runner.TABLETOP.instructions('all')
    rows = []
    for name in options.checkpoints.split(','):
        worker = runner.Worker(runner.Setup(str(checkpoint_folder(name))))
        apply_method(parse(BASELINE), worker.policy)
        episodes = [
            drive(worker, seed, texts[at * len(texts) // options.episodes], options.longest)
            for at, seed in enumerate(numbers)
        ]
        for kind, quality in WAYS:
            found = measure(worker.policy, episodes, worker.environment.step_s, kind, quality)
            frames = sum(map(len, episodes))
            rows.append(
                {'checkpoint': name, 'kind': kind, 'quality': quality, 'frames': frames, **found}
            )
            print(rows[-1], file=sys.stderr, flush=True)
    (options.results / 'compression.json').write_text(json.dumps(rows, indent=1) + '\n')
    (options.results / 'compression.md').write_text(page(rows), encoding='utf-8')
    print(page(rows))
    return 0


if __name__ == '__main__':
    sys.exit(main())
