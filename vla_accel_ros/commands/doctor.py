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

"""`vla-accel doctor`: what this machine has, and what to do about what is missing."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
import json
import sys

from vla_accel_ros import extras
from vla_accel_ros.deploy import finding as deploy_finding
from vla_accel_ros.deploy.finding import Level
from vla_accel_ros.deploy.told import told
from vla_accel_ros.engines import registry
from vla_accel_ros.graph import machine
from vla_accel_ros.graph.machine import Finding
from vla_accel_ros.paths import checkpoint_folder, shipped_checkpoints

# Longer than a driver takes to come up.
SECONDS, LONGEST_S = 5.0, 600.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        '--checkpoint',
        action='append',
        metavar='NAME_OR_FOLDER',
        help='check this checkpoint too, besides those shipped (may be given again)',
    )
    parser.add_argument(
        '--unnorm-key', metavar='KEY', help="data set to un-normalise those checkpoints' actions"
    )
    parser.add_argument(
        '--engine',
        action='append',
        default=[],
        metavar='NAME',
        help='this engine is needed, and lacking where it cannot run here (may be given again); '
        '`vla-accel verify --engine` runs it',
    )
    parser.add_argument(
        '--params-file',
        metavar='FILE',
        help='check this parameter file of the nodes, and its limits against the checkpoint',
    )
    parser.add_argument(
        '--namespace',
        default='',
        metavar='NAME',
        help='namespace that the nodes of the parameter file have or will have',
    )
    parser.add_argument(
        '--deploy',
        action='store_true',
        help='listen to the running robot, and say whether it is what the checkpoint wants: '
        'action kind, units, frame, rate, cameras, state, start pose, latency',
    )
    parser.add_argument(
        '--seconds',
        type=_seconds,
        default=SECONDS,
        metavar='N',
        help='with --deploy: how long to listen at most (%(default)s)',
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f'{text} s, expected more than 0 and at most {LONGEST_S}')
    return seconds


def checkpoint(name: str, unnorm_key: str | None = None, needed: bool = False) -> Finding:
    """Say whether a checkpoint is healthy: it loads, the image matters, the key is there.

    With what a robot must provide, and its largest step, to be compared with the arm's limits.

    Args:
        name: Shipped name or folder.
        unnorm_key: Data set whose statistics un-normalise; may be None where there is one only.
        needed: Whether the demo cannot do without it.
    """
    title = f'checkpoint {name}'
    remedy = "the checkpoint's files once more, or another checkpoint"
    try:
        from vla_accel_ros.engines.store import Store
        from vla_accel_ros.models.checkpoints.conventions import CONVENTIONS
        from vla_accel_ros.models.checkpoints.weights import checked_by
        from vla_accel_ros.models.declaration import declaration
        from vla_accel_ros.models.engine_choice import timings_of
        from vla_accel_ros.models.families import registry as families
        from vla_accel_ros.models.policy import Policy

        folder = checkpoint_folder(name)
        policy = Policy.load(folder, unnorm_key=unnorm_key)
        policy.self_test()
        wants = declaration(folder, unnorm_key, name)
        known = policy.space is not None
        metres, radians = policy.statistics.largest_step(policy.space) if known else (None, None)
        verified = checked_by(folder)
        about = [*families.of(policy.config).about(policy.config), *told(wants, CONVENTIONS)]
        timings = timings_of(policy, Store()).here(1)
    except Exception as error:
        # A damaged checkpoint may raise anything, out of any library; the next check goes on.
        why = ' '.join(str(error).split())
        if not isinstance(error, OSError | ValueError | ImportError | RuntimeError) or not why:
            why = f'{type(error).__name__}: {why}'
        return Finding(title, False, why, needed, remedy)
    text = (
        f'loads; the image changes the action; {"; ".join(about)}; '
        + (f'largest step {metres:.3f} m, {radians:.3f} rad; ' if known else '')
        + f'{"checksum right" if verified else "no checksum"}; engines built: '
        + (', '.join(map(_built, timings)) or 'none')
    )
    return Finding(
        title,
        True,
        text,
        needed,
        details={
            'largest_step_m': metres,
            'largest_step_rad': radians,
            'checksum': verified,
            'engines': [asdict(each) for each in timings],
            'about': about,
        },
    )


def _built(timing) -> str:
    return f'{registry.titled(timing.engine, timing.engine_device)} {timing.ms:.1f} ms'


def engine(name: str, needed: bool = False) -> Finding:
    """Say what an engine is, and whether it can run here.

    Args:
        name: Of the engine.
        needed: Whether it was asked for; eager is always needed.
    """
    kind = registry.find(name)
    why = kind.probe()
    text = f'{kind.what}; in {", ".join(kind.precisions)}'
    text += f'; --engine-device {", ".join(kind.devices)}' if kind.devices else ''
    if why is None:
        try:
            kind.load()
        except Exception as error:  # a library may fail in any way
            why = ' '.join(str(error).split()) or type(error).__name__
    if why is None:
        return Finding(f'engine {name}', True, text, needed or name == registry.EAGER)
    return Finding(f'engine {name}', False, f'{text}; cannot run here: {why}', needed)


def examine(
    checkpoints: list[str], unnorm_key: str | None = None, engines: Sequence[str] = ()
) -> Iterator[Finding]:
    """Yield the findings one by one, as they come.

    Args:
        checkpoints: Names or folders to check besides the shipped ones.
        unnorm_key: For those.
        engines: That are needed.
    """
    yield from asked('python', machine.python)
    yield from asked('machine', machine.cores)
    yield from asked('ros', machine.ros)
    yield from asked('logs', machine.log_folder)
    yield from asked('launch', machine.launch)
    yield from asked('dds', machine.dds_profile)
    yield from asked('torch', machine.torch)
    for name in extras.PURPOSES:
        yield from asked(f'extra {name}', partial(machine.extra, name))
    if not extras.missing('sim'):
        yield from asked('opengl', machine.opengl)
    for name in registry.names():
        yield from asked(f'engine {name}', partial(engine, name, name in engines))
    shipped = list(shipped_checkpoints())
    if not shipped:
        yield Finding(
            'checkpoint',
            False,
            'none is shipped with this installation',
            True,
            'vla-accel train makes one',
        )
    for name in shipped:
        yield from asked(f'checkpoint {name}', partial(checkpoint, name, needed=True))
    for name in checkpoints:
        yield from asked(f'checkpoint {name}', partial(checkpoint, name, unnorm_key))


def asked(name: str, question: Callable[[], Finding | Iterable[Finding]]) -> Iterator[Finding]:
    """Yield what a question finds; one that cannot be answered does not keep the next from it.

    Args:
        name: What it asks about.
        question: Gives a finding, or several.
    """
    try:
        found = question()
        yield from [found] if isinstance(found, Finding) else found
    except Exception as error:
        why = ' '.join(f'{type(error).__name__}: {error}'.split())
        yield Finding(name, False, f'the check itself failed: {why}', True)


def parameters(args: argparse.Namespace) -> Iterator[Finding]:
    """Yield what is found of the parameter file; see `graph.doctor_parameters`."""
    from vla_accel_ros.graph.doctor_parameters import parameter_file

    name = args.checkpoint[0] if args.checkpoint else None
    yield from parameter_file(args.params_file, args.namespace, name, args.unnorm_key)


def deploy(args: argparse.Namespace) -> int:
    """Run the command for a robot that is about to move; see `graph.doctor_deploy`.

    Args:
        args: As parsed.

    Returns:
        0 when nothing speaks against moving the arm, else 1.
    """
    from vla_accel_ros.graph.doctor_deploy import Question, deployed

    question = Question(
        args.checkpoint[0] if args.checkpoint else None,
        args.unnorm_key,
        args.params_file or '',
        args.namespace,
        args.seconds,
    )
    found = []
    for finding in deployed(question):
        found.append(finding)
        if not args.json:
            print(_deploy_line(finding), flush=True)
    wrong = [each.name for each in found if each.level is Level.ERROR]
    if args.json:
        listed = [asdict(each) | {'ok': each.level is not Level.ERROR} for each in found]
        json.dump({'ok': not wrong, 'lacking': wrong, 'findings': listed}, sys.stdout, indent=2)
        print()
    elif wrong:
        print(f'\ndoes not fit: {", ".join(wrong)}')
    else:
        print('\nnothing speaks against moving the arm')
    return 1 if wrong else 0


def _deploy_line(finding: deploy_finding.Finding) -> str:
    mark = {Level.OK: 'ok', Level.WARNING: 'warning', Level.ERROR: 'ERROR'}[finding.level]
    line = f'{finding.name:<22} {mark:<8} {finding.text}'
    return line + (f'\n{"":<31} -> {finding.remedy}' if finding.remedy else '')


def _line(finding: Finding) -> str:
    mark = 'ok' if finding.ok else 'MISSING' if finding.needed else '-'
    line = f'{finding.name:<22} {mark:<8} {finding.text}'
    if not finding.ok and finding.remedy:
        line += f'\n{"":<31} -> {finding.remedy}'
    return line


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Args:
        args: As parsed.

    Returns:
        0 when the nodes can run here, those of the embedded arm too where its extra is there,
        and each checkpoint and engine asked for is healthy, else 1; of a robot as `deploy` says.

    Raises:
        ValueError: When there is no engine of a name.
    """
    for name in args.engine:
        if name != registry.AUTO:
            registry.find(name)
    if args.deploy:
        return deploy(args)
    findings = []
    questions = [examine(args.checkpoint or [], args.unnorm_key, args.engine)]
    if args.params_file is not None:
        questions.append(asked(f'parameters {args.params_file}', partial(parameters, args)))
    for finding in chain(*questions):
        findings.append(finding)
        if not args.json:
            print(_line(finding), flush=True)
    wanted = {f'checkpoint {name}' for name in args.checkpoint or []}
    lacking = [f.name for f in findings if not f.ok and (f.needed or f.name in wanted)]
    if args.json:
        json.dump(
            {
                'ok': not lacking,
                'lacking': lacking,
                'findings': [
                    {
                        'name': f.name,
                        'ok': f.ok,
                        'needed': f.needed,
                        'text': f.text,
                        'remedy': f.remedy,
                        **f.details,
                    }
                    for f in findings
                ],
            },
            sys.stdout,
            indent=2,
        )
        print()
    elif lacking:
        print(f'\nlacking: {", ".join(lacking)}')
    elif extras.missing('sim'):
        print('\nall that a robot needs is there; the demo needs the extra sim besides')
    else:
        print('\nall that the demo needs is there')
    return 1 if lacking else 0
