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

"""The command line `vla-accel`.

A command is a module with `configure(parser)`, which adds its arguments, and `run(args)`, which
returns the exit code. It is imported only when it is asked for, so that `--help` is immediate and
a machine without ROS can still train or evaluate.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
import io
import os
import signal
import sys

from vla_accel_ros import __version__, extras
from vla_accel_ros.stopping import SIGNALS, ends_in_order, exit_code

BAD_INPUT = 2
BROKEN_PIPE = 128 + signal.SIGPIPE


@dataclass(frozen=True)
class Command:
    """A command of the line: where it lives and how it is told of.

    Attributes:
        module: Module with `configure` and `run`.
        summary: One line, for the list of commands.
        examples: Command lines worth copying.
        extras: The extras that it cannot do without, each with the option that asks for it;
            None for one that it always needs. Found out before the work, not at its end.
    """

    module: str
    summary: str
    examples: tuple[str, ...]
    extras: Mapping[str, str | None] = field(default_factory=dict)


COMMANDS = {
    'demo': Command(
        'vla_accel_ros.commands.demo',
        'the whole ROS 2 graph on the embedded arm, live, with a video at the end',
        ('vla-accel demo', 'vla-accel demo --episodes 1 --json'),
        extras={'sim': None},
    ),
    'status': Command(
        'vla_accel_ros.commands.status',
        'state, reasons and rates of every running node, on one page',
        ('vla-accel status', 'vla-accel status --namespace left --watch'),
    ),
    'security': Command(
        'vla_accel_ros.commands.security',
        'the SROS 2 policy of a deployment: the rights of each process',
        ('vla-accel security namespace:=left image_topics:=/cam/image_raw --out policy.xml',),
    ),
    'verify': Command(
        'vla_accel_ros.commands.verify',
        'compare a checkpoint with the numbers of the original, or an engine with eager',
        (
            'vla-accel verify --fixture test/fixtures/openvla_tiny --oft',
            'vla-accel verify --engine onnxruntime tabletop-s --frames 500 --methods all',
        ),
    ),
    'engine': Command(
        'vla_accel_ros.commands.engine',
        'engines that run a checkpoint faster: build, calibrate, list, verify, clean',
        ('vla-accel engine build tabletop-s', 'vla-accel engine list'),
    ),
    'convert': Command(
        'vla_accel_ros.commands.convert',
        'write a checkpoint of others as safetensors, in a folder that loads here',
        ('vla-accel convert CogACT-Base out/cogact --dtype bfloat16 --tokenizer tokenizer.model',),
    ),
    'eval': Command(
        'vla_accel_ros.commands.eval',
        'closed-loop success with and without acceleration, on two clocks',
        (
            'vla-accel eval --episodes 50 --methods none,sp_vla',
            "vla-accel eval --methods 'none,hold+jacobi,none@keep=0.25' --report report/",
            'vla-accel eval --clock real --latency-ms 60 --methods none,fast --json',
        ),
        extras={'eval': 'report', 'cluster': 'cluster'},
    ),
    'replay': Command(
        'vla_accel_ros.commands.replay',
        'how far an accelerated setting departs from a recording, and what it saves',
        (
            'vla-accel replay my_bag --methods none,sp_vla,fast --out out/my_bag',
            "vla-accel replay my_bag.mcap --image-topic /camera/image_raw --instruction 'pour'",
        ),
        extras={'eval': None},
    ),
    'serve': Command(
        'vla_accel_ros.commands.serve',
        "an accelerated policy for clients without ROS, in openpi's websocket protocol",
        ('vla-accel serve tabletop-s --method fast --host 0.0.0.0 --port 8000',),
        extras={'remote': None},
    ),
    'record-demo': Command(
        'vla_accel_ros.commands.record_demo',
        'episodes of the embedded arm as a bag, to try replay on',
        ('vla-accel record-demo --episodes 20 --out out/demo_bag',),
        extras={'sim': None, 'eval': None},
    ),
    'lerobot': Command(
        'vla_accel_ros.commands.lerobot',
        'write a recorded bag as a LeRobot dataset (v3)',
        ('vla-accel lerobot out/demo_bag --cameras 2 --out out/demo_dataset',),
        extras={'eval': None},
    ),
    'env': Command(
        'vla_accel_ros.commands.env',
        'try an environment out, an expert or random actions in the place of a model',
        ('vla-accel env tabletop --policy expert', 'vla-accel env robosuite:Lift --picture a.png'),
    ),
    'tune': Command(
        'vla_accel_ros.commands.tune',
        'search parameters of methods in simulation or on bags, and confirm what is found',
        (
            'vla-accel tune --sim --methods hold,sp_vla --trials 20',
            'vla-accel tune --bag monday tuesday --confirm-bag friday --methods sp_vla,fastv',
        ),
        extras={'sim': 'sim', 'eval': None, 'cluster': 'cluster'},
    ),
    'bench': Command(
        'vla_accel_ros.commands.bench',
        "latency side by side: stages, methods, keep ratios, decoders, and the device's floor",
        (
            'vla-accel bench',
            'vla-accel bench --methods none,sp_vla@keep=0.25,hold+jacobi,fast',
            'vla-accel bench --model mid --bars --plot bench.png',
            'vla-accel bench --model openvla-7b --random-weights --device cuda --out h200.json',
        ),
        extras={'eval': 'plot'},
    ),
    'train': Command(
        'vla_accel_ros.commands.train',
        'make a shipped checkpoint again, tabletop-s where not said; resumable',
        ('vla-accel train', 'vla-accel train --recipe tabletop-m-oft --out out/train/oft'),
        extras={'train': None},
    ),
    'depth': Command(
        'vla_accel_ros.commands.depth',
        'how much each decoder layer matters on recorded frames, and a checkpoint without some',
        ('vla-accel depth out/demo_bag', 'vla-accel depth out/demo_bag --drop 1 --out out/depth'),
        extras={'eval': None},
    ),
    'doctor': Command(
        'vla_accel_ros.commands.doctor',
        'what this machine has, and what to do about what is missing',
        ('vla-accel doctor', 'vla-accel doctor --deploy'),
    ),
}


def _epilog(examples: Sequence[str]) -> str:
    return 'examples:\n' + '\n'.join(f'  {line}' for line in examples)


def build_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; only the chosen command's module is imported and configured."""
    style = argparse.RawDescriptionHelpFormatter
    # On the line before the command and after it: `--debug` is remembered when it is too late.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument('--debug', action='store_true', help='show where an error comes from')
    parser = argparse.ArgumentParser(
        prog='vla-accel',
        formatter_class=style,
        parents=[common],
        description='Vision-Language-Action models, fast enough to drive a robot arm.',
        epilog=_epilog([command.examples[0] for command in COMMANDS.values()])
        + '\n\nexit code: 0 what was asked holds, 1 it does not, 2 it could not be asked',
    )
    parser.add_argument('--version', action='version', version=f'vla-accel {__version__}')
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.summary,
            description=command.summary[0].upper() + command.summary[1:] + '.',
            epilog=_epilog(command.examples),
            formatter_class=style,
            parents=[common],
        )
        sub.add_argument('--json', action='store_true', help='print JSON instead of text')
        if name == chosen:
            import_module(command.module).configure(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments after the program's name; those of the process when None.

    Returns:
        The exit code: the command's own, or 2 when what was asked makes no sense here.
    """
    if argv is None:
        return _as_process(sys.argv[1:])
    argv = list(argv)
    chosen = next((word for word in argv if not word.startswith('-')), None)
    try:
        parser = build_parser(chosen)
        if not argv:
            parser.print_help(sys.stderr)
            return BAD_INPUT
        args = parser.parse_args(argv)
        command = COMMANDS[args.command]
        for extra, option in command.extras.items():
            if option is None or getattr(args, option):
                extras.require(extra)
        with ends_in_order(), _own_words_only() if args.json else nullcontext():
            code = import_module(command.module).run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader (head, less) has gone; nothing may be flushed into the pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt as error:
        print('interrupted', file=sys.stderr)
        return exit_code(error)
    except ModuleNotFoundError as error:
        if '--debug' in argv or (error.name or '').startswith('vla_accel_ros'):
            raise
        return _complain(_remedy(chosen or '', error.name or ''))
    except Exception as error:
        # What this package refuses, or a file: bad input. All else is a defect, shown whole.
        if ended := _interrupt_in(error):
            print('interrupted', file=sys.stderr)
            return exit_code(ended)
        ours = type(error).__module__.startswith('vla_accel_ros')
        if '--debug' in argv or not (ours or isinstance(error, (ValueError, OSError))):
            raise
        return _complain(str(error))


def _remedy(command: str, module: str) -> str:
    extra = extras.extra_of(module, first=command)
    if extra is None:
        return f'{module} is not installed; `vla-accel doctor` says what to do'
    return f'{command} needs {module}, of {extras.PACKAGE}[{extra}]: {extras.remedy(extra)}'


def _as_process(argv: Sequence[str]) -> int:
    """Run one command as this process, on whatever terminal it has."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal of Latin-1, or a path that is no UTF-8, must not lose what was done.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='replace')
    try:
        return main(argv)
    finally:
        # What is left is the interpreter's end, which a signal may cut short without a word.
        for signum in SIGNALS:
            if signal.getsignal(signum) != signal.SIG_IGN:
                signal.signal(signum, signal.SIG_DFL)


def _interrupt_in(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the interrupt that a library has made an error of while it was imported."""
    if not isinstance(error, ImportError):
        return None
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def _open_streams() -> None:
    """Open the null device in place of standard streams that the caller has closed.

    Otherwise the first file that is opened takes their number, and what libraries say goes there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ('stdout', 'stderr'):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, os.fdopen(handle, 'w', encoding='utf-8'))


@contextmanager
def _own_words_only() -> Iterator[None]:
    """Keep standard output for what Python prints; native libraries' complaints go to stderr.

    DDS writes its own to standard output, where they would spoil the JSON.
    """
    try:
        ours = sys.stdout.fileno() == 1
    except (OSError, ValueError):
        ours = False
    if not ours:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with (
            open(
                kept, 'w', encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False
            ) as words,
            redirect_stdout(words),
        ):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _complain(message: str) -> int:
    line = ' '.join(message.split())
    print(f'vla-accel: error: {line}', file=sys.stderr)
    return BAD_INPUT


if __name__ == '__main__':
    sys.exit(main())
