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

"""Every shipped checkpoint of the embedded arm on the engines of a CPU, compared with eager.

Each pair is one call of `vla-accel verify`, with all pruning methods and all decoders. What is
done is kept after each pair, and a pair that stands with as many frames is not run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
import json
from pathlib import Path
import subprocess
import sys

from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.models.parity.engines import EXACT, MOST_TIES, NEAR
from vla_accel_ros.paths import shipped_checkpoints
from vla_accel_ros.training.recipe_parts import TABLETOP

OUT = Path(__file__).parent / 'results' / 'engine_parity.json'
ENGINES = 'onnxruntime,openvino'
HEAD = f"""# Engines against eager

`python -m benchmarks.engine_parity`: frames of the embedded arm, every pruning method with greedy
decoding, and every decoder without pruning. In float32 tokens must be equal but for ties, where
the two best logits are within {NEAR}. Heads that answer numbers may be {EXACT.numbers} apart,
normalised; in one frame of {MOST_TIES} another visual token may be kept, where two score almost
the same.
"""


def of_the_arm() -> list[str]:
    """List the shipped checkpoints that know the words of the embedded arm."""
    return [name for name in shipped_checkpoints() if name.startswith(TABLETOP)]


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


def to_markdown(rows: Sequence[Mapping]) -> str:
    """Give the page of what was compared."""
    lines = [HEAD, '| checkpoint | engine | way | frames | the same | ties | differ |']
    lines.append('|---' * 7 + '|')
    for row in rows:
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
    agree = sum(row['agrees'] for row in rows)
    lines.append(f'\n{agree} of {len(rows)} pairs of checkpoint and engine agree.')
    lines += [
        f'\n`{row["checkpoint"]}` on {row["engine"]}: {row["reason"]}.'
        for row in rows
        if not row['agrees']
    ]
    lines += [
        f'\n`{row["checkpoint"]}` on {row["engine"]}: {name} runs on eager ({why}).'
        for row in rows
        for name, why in row['on_eager'].items()
    ]
    dates: dict[str, list[str]] = {}
    for row in rows:
        dates.setdefault(row['machine']['processor'], []).append(row['date'])
    ran = [f'{name}, {min(each)} to {max(each)}' for name, each in sorted(dates.items())]
    lines.append(f'\n{"; ".join(ran)}.')
    return '\n'.join(lines) + '\n'


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoints', default=','.join(of_the_arm()), help='%(default)s')
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
            rows[pair] = {
                **run(*pair, args.frames),
                'asked': args.frames,
                'date': conditions.today(),
                'machine': conditions.machine(),
            }
            _write(rows.values(), args.out)
    # Made anew where nothing was run, too: the page may be another.
    _write(rows.values(), args.out)
    return 0 if all(row['agrees'] for row in rows.values()) else 1


def _write(found: Iterable[dict], file: Path) -> None:
    rows = sorted(found, key=lambda row: (row['checkpoint'], row['engine']))
    write_whole(file, json.dumps({'rows': rows}, indent=1) + '\n')
    write_whole(file.with_suffix('.md'), to_markdown(rows))


if __name__ == '__main__':
    sys.exit(main())
