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

"""Every shipped checkpoint on the engines of a CPU, compared with eager.

Each pair is one call of `vla-accel verify`, with all pruning methods and all decoders. What is
done is kept after each pair, and a pair that stands with as many frames is not run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
import json
from pathlib import Path
import subprocess
import sys

from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.paths import shipped_checkpoints

OUT = Path(__file__).parent / 'results' / 'engine_parity.json'
ENGINES = 'onnxruntime,openvino'
HEAD = """# Engines against eager

`python -m benchmarks.engine_parity`: frames of the embedded arm, every pruning method with greedy
decoding, and every decoder without pruning. In float32 tokens must be equal but for ties, where
the two best logits are within 5e-4. Heads that answer numbers may be 0.001 apart, normalised; in
one frame of 100 another visual token may be kept, where the choice hangs by a hair.
"""


def words(checkpoint: str, engine: str, frames: int) -> list[str]:
    """Give the command of a pair."""
    counted = ['--frames', str(frames), '--methods', 'all', '--decoders', 'all']
    return ['verify', '--engine', engine, checkpoint, *counted]


def run(checkpoint: str, engine: str, frames: int) -> dict:
    """Compare a checkpoint on an engine with eager.

    Raises:
        RuntimeError: When the command gives no result; what it said has been shown.
    """
    command = words(checkpoint, engine, frames)
    done = subprocess.run(
        [sys.executable, '-m', 'vla_accel_ros.cli', *command, '--json'],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if not done.stdout:
        raise RuntimeError(f'vla-accel {" ".join(command)} ended with {done.returncode}')
    return json.loads(done.stdout)


def to_markdown(record: Mapping) -> str:
    """Give the page of what was compared."""
    lines = [HEAD, '| checkpoint | engine | way | frames | the same | ties | differ |']
    lines.append('|---' * 7 + '|')
    for row in record['rows']:
        first = f'`{row["checkpoint"]}` | {row["engine"]} {row["precision"]}'
        if not row['ways']:
            lines.append(f'| {first} | - | - | - | - | {row["reason"]} |')
        for way, each in row['ways'].items():
            differ = each['objection'] or (
                'none' if each['tokens'] else f'by {each["numbers"]:.1e} at most'
            )
            lines.append(
                f'| {first} | `{way}` | {each["frames"]} | {each["same"]} | {each["ties"]} | '
                f'{differ} |'
            )
            first = ' | '
    agree = sum(row['agrees'] for row in record['rows'])
    lines.append(f'\n{agree} of {len(record["rows"])} pairs of checkpoint and engine agree.')
    lines += [
        f'\n`{row["checkpoint"]}` on {row["engine"]}: {row["reason"]}.'
        for row in record['rows']
        if not row['agrees']
    ]
    lines += [
        f'\n`{row["checkpoint"]}` on {row["engine"]}: {name} runs on eager ({why}).'
        for row in record['rows']
        for name, why in row['on_eager'].items()
    ]
    lines.append(f'\n{record["machine"]["processor"]}, {record["date"]}.')
    return '\n'.join(lines) + '\n'


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoints', default=','.join(shipped_checkpoints()))
    parser.add_argument('--engines', default=ENGINES)
    parser.add_argument('--frames', type=int, default=500)
    parser.add_argument('--out', type=Path, default=OUT, help='%(default)s, and a page beside it')
    args = parser.parse_args(argv)
    record = json.loads(args.out.read_text(encoding='utf-8')) if args.out.exists() else {}
    rows = {(r['checkpoint'], r['engine']): r for r in record.get('rows', ())}
    for checkpoint in args.checkpoints.split(','):
        for engine in args.engines.split(','):
            pair = checkpoint, engine
            if rows.get(pair, {}).get('asked') == args.frames:
                continue
            print(f'vla-accel {" ".join(words(*pair, args.frames))}', file=sys.stderr)
            rows[pair] = {**run(*pair, args.frames), 'asked': args.frames}
            record = {
                'date': conditions.today(),
                'machine': conditions.machine(),
                'rows': [rows[key] for key in sorted(rows)],
            }
            write_whole(args.out, json.dumps(record, indent=1) + '\n')
            write_whole(args.out.with_suffix('.md'), to_markdown(record))
    return 0 if all(row['agrees'] for row in rows.values()) else 1


if __name__ == '__main__':
    sys.exit(main())
