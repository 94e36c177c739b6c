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

"""`vla-accel bench`: what each method, keep ratio and decoder costs and saves, side by side."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
import json
from pathlib import Path
import sys
import time

from vla_accel_ros.acceleration.grammar import add_argument
from vla_accel_ros.bench.names import (
    DECODERS,
    EAGER,
    FULL_SIZES,
    KEEPS,
    METHODS,
    MID_LAYER,
    MIDS,
    PLAIN,
)
from vla_accel_ros.devices import device_name
from vla_accel_ros.files.locks import Lock
from vla_accel_ros.files.outputs import beginning, check_apart, check_file, json_with
from vla_accel_ros.files.own_outputs import of_plot
from vla_accel_ros.files.whole_files import is_special, is_stdout, write_whole
from vla_accel_ros.paths import DEFAULT_CHECKPOINT
from vla_accel_ros.stopping import Interrupt


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add(
        '--model',
        default=DEFAULT_CHECKPOINT,
        help=(
            f'a shipped checkpoint, a checkpoint folder, a published size with '
            f'--random-weights ({FULL_SIZES}), or a random model of a size for a CPU '
            f'({", ".join(MIDS)}) (%(default)s)'
        ),
    )
    add(
        '--random-weights',
        action='store_true',
        help=('make weights instead of loading them: nothing is downloaded, the time is the same'),
    )
    add('--device', type=device_name, default='cpu', help='cpu or cuda (%(default)s)')
    add('--dtype', help='float32, bfloat16 or float16; float32 on the CPU, else bfloat16')
    add('--unnorm-key', help='data set whose statistics hold, for a checkpoint of several')
    add_argument(
        parser,
        None,
        f'. Also {PLAIN}, the plain Hugging Face path. What a method says about scheduling does '
        f'not change a single call and is left out. By default {PLAIN}, if it is installed, and '
        f'{METHODS}, with --keep {KEEPS} and --decoders {DECODERS}',
    )
    add(
        '--keep',
        help=(
            'keep ratios, separated by commas: each is written into the methods that prune and '
            'name none; own is the count that a method finds itself'
        ),
    )
    add(
        '--decoders',
        help='decoders as in --methods: each is written into the methods that name none',
    )
    add(
        '--layer',
        type=int,
        help=(
            'decoder layer, written into the methods that drop after one and name none; their '
            f'own by default, {MID_LAYER} for {", ".join(MIDS)}'
        ),
    )
    add(
        '--given',
        default='right',
        help=(
            "which draft is given to be verified: right, the model's own answer, is the most that "
            'drafting can save; wrong in every token the most that it can cost (%(default)s)'
        ),
    )
    add(
        '--engines',
        default=EAGER,
        help=(
            'what runs the model, separated by commas, each name[@key=value,...] with precision, '
            'device and calibration: '
            'eager,openvino@precision=bfloat16,onnxruntime@device=cuda. Of several each is a '
            'process of its own, and they take turns; one that fails, but the first, is left out, '
            'and the exit status is 1 (%(default)s)'
        ),
    )
    add('--rounds', type=int, default=30, help='answers of each case that count (%(default)s)')
    add('--warm-up', type=int, default=6, help='answers before these (%(default)s)')
    add('--threads', type=int, help="torch's threads; as many as there are cores by default")
    add('--seed', type=int, default=0, help='of weights, scene and order (%(default)s)')
    add('--bars', action='store_true', help='fail when a bar is missed or not measured')
    add('--out', type=Path, help='file for the JSON report; a Markdown table goes beside it')
    add('--plot', type=Path, help='file for a picture: .png, .svg or .pdf')


def run(args: argparse.Namespace) -> int:
    """Measure; return 0 when every row answered as it must, and with --bars all bars hold."""
    from vla_accel_ros.bench import engines

    if args.methods is None:
        _by_default(args)
    # What cannot be read is said before a large model is made.
    groups, names = _cases(args), engines.names(args.engines)
    if EAGER not in names and any(case.method is None for group in groups for case in group):
        raise ValueError(
            f'{PLAIN} is measured beside {EAGER}, which --engines {args.engines} leaves out'
        )
    _check_outputs(args)
    if args.threads is not None and args.threads < 1:
        raise ValueError(f'{args.threads} threads, expected at least 1')
    if args.rounds < 1 or args.warm_up < 0:
        raise ValueError(
            f'{args.rounds} rounds and {args.warm_up} of warm-up, expected 1 and 0 at least'
        )
    print(f'bench: making {args.model} ready', file=sys.stderr)
    with ExitStack() as stack:
        for path in (args.out, args.plot):
            if path is not None and not is_special(path):
                stack.enter_context(Lock.beside(path))
        return _run(args)


def _by_default(args: argparse.Namespace) -> None:
    """Fill in what is compared where no methods are given."""
    eager = EAGER in args.engines.split(',')
    plain = [PLAIN] if eager and find_spec(PLAIN) else []
    if eager and not plain:
        print(f'{PLAIN} is not installed: no plain baseline', file=sys.stderr)
    args.methods = ','.join([*plain, METHODS])
    args.keep = KEEPS if args.keep is None else args.keep
    args.decoders = DECODERS if args.decoders is None else args.decoders


def _cases(args: argparse.Namespace, single_pass: bool = False) -> list:
    from vla_accel_ros.bench.cases import cases

    layer = args.layer
    if layer is None:
        layer = MID_LAYER if args.model in MIDS else 0
    keeps = [] if args.keep is None else args.keep.split(',')
    given = args.given.split(',')
    return cases(args.methods, keeps, args.decoders or '', layer, given, single_pass)


def _run(args: argparse.Namespace) -> int:
    from vla_accel_ros.bench import engines, report, table
    from vla_accel_ros.bench.cases import on_engine
    from vla_accel_ros.bench.field import Field
    from vla_accel_ros.bench.rounds import measure
    from vla_accel_ros.bench.turns import Apart, Here, Turns
    from vla_accel_ros.evaluation.conditions import CpuMeter, command_line

    progress = Progress(args.warm_up + args.rounds)
    names = engines.names(args.engines)
    ready = partial(
        engines.ready,
        model=args.model,
        device=args.device,
        dtype=args.dtype,
        random=args.random_weights,
        seed=args.seed,
        unnorm_key=args.unnorm_key,
    )
    with ExitStack() as stack:
        turns: list[Turns]
        if len(names) == 1:
            turns = [Here(ready(names[0], args.threads, progress=progress.loading))]
        else:
            turns = [stack.enter_context(Apart(ready, name, args.threads)) for name in names]
        field = Field(turns, names)
        facts = field.facts()
        groups = _cases(args, not facts[0].config.passes)
        teams = [(one, on_engine(groups, name)) for one, name in field.left()]
        processors = CpuMeter(one.process for one in facts)
        with Interrupt('stopping: the round under way is left', lambda: stop.end()) as stop:
            samples, complete = measure(
                teams, args.rounds, args.warm_up, args.seed, progress.round, field.leave_out
            )
        rates = turns[0].rates() if all(samples.values()) else None
        # While the processes are there to be asked.
        shares = processors.shares()
        memory = field.each(lambda one: one.memory())
        costs = {}
        if complete:
            timed = field.each(lambda one: one.costs())
            costs = {name: found for name, found in timed.items() if found is not None}
        facts = [each for each in facts if each.engine not in field.left_out]
        samples = {
            case: of_case for case, of_case in samples.items() if case.engine not in field.left_out
        }
    progress.close()
    if rates is None:
        print('interrupted before the first round was over', file=sys.stderr)
        return stop.code
    found = report.make(
        facts,
        [memory[each.engine] for each in facts],
        samples,
        rates,
        costs,
        shares,
        {
            'command': command_line(),
            'rounds': len(next(iter(samples.values()))),
            'warm_up': args.warm_up,
            'seed': args.seed,
            'left_out': field.left_out,
        },
        complete,
    )
    print(json.dumps(found) if args.json else table.to_text(found, args.bars))
    _write(found, args)
    if not complete:
        return stop.code
    if not found['answers_hold']:
        print('a row did not answer as it must', file=sys.stderr)
    bars = not args.bars or all(bar['holds'] for bar in found['bars'])
    return 0 if found['answers_hold'] and bars and not field.left_out else 1


def _check_outputs(args: argparse.Namespace) -> None:
    """Refuse outputs that must not be written, before anything is measured; nothing is made."""
    out, plot = args.out, args.plot
    if out is not None:
        if out.suffix == '.md':
            raise ValueError(
                f'--out is {out}, expected a name for the JSON report, such as '
                f'{out.with_suffix(".json")}: the table goes to {out}'
            )
        check_file(out, '--out', json_with('kind', 'format', 'rows'))
        check_file(table_beside(out), 'the table of --out', beginning('# vla-accel bench'))
    if plot is not None:
        from vla_accel_ros.bench.plot import ENDINGS

        if plot.suffix.lower() not in ENDINGS:
            raise ValueError(
                f'--plot is {plot}, expected a name that ends in {", ".join(ENDINGS)}'
            )
        check_file(plot, '--plot', of_plot)
    check_apart({'--out': out, 'the table of --out': out and table_beside(out), '--plot': plot})


def table_beside(out: Path) -> Path:
    """Return where the table goes: NAME.md for NAME.json, with the whole of any other name."""
    return out.with_name((out.stem if out.suffix == '.json' else out.name) + '.md')


def _write(found: dict, args: argparse.Namespace) -> None:
    from vla_accel_ros.bench.table import to_markdown

    out = args.out
    if out is not None and not (args.json and is_stdout(out)):
        write_whole(out, json.dumps(found, indent=1, ensure_ascii=False) + '\n')
    if out is not None and not is_special(out):
        write_whole(table_beside(out), to_markdown(found, args.bars))
    if args.plot is not None:
        from vla_accel_ros.bench.plot import draw

        draw(found, args.plot)


class Progress:
    """One line on a terminal, and none elsewhere.

    Args:
        rounds: That there will be, those of the warm-up included.
    """

    def __init__(self, rounds: int) -> None:
        self._rounds, self._live = rounds, sys.stderr.isatty()
        self._first: float | None = None

    def loading(self, share: float, what: str) -> None:
        """Show how far loading is."""
        self._show(f'loading {share:.0%}')

    def round(self, done: int) -> None:
        """Show how many rounds are over, and how long the others take."""
        now = time.monotonic()
        if self._first is None:
            # The first round compiles and allocates, and says little of the others.
            self._first = now
            self._show(f'round {done}/{self._rounds}')
            return
        left = (now - self._first) / (done - 1) * (self._rounds - done)
        self._show(f'round {done}/{self._rounds}, {left:.0f} s left')

    def close(self) -> None:
        """End the line."""
        if self._live:
            print(file=sys.stderr)

    def _show(self, text: str) -> None:
        if self._live:
            print(f'\r{text} \x1b[K', end='', file=sys.stderr, flush=True)
