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
from collections.abc import Iterator
import json
import sys

from vla_accel_ros import machine
from vla_accel_ros.machine import Finding
from vla_accel_ros.paths import checkpoint_folder, shipped_checkpoints


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        '--checkpoint', action='append', metavar='NAME_OR_FOLDER',
        help='check this checkpoint too, besides those shipped (may be given again)')
    parser.add_argument(
        '--unnorm-key', metavar='KEY', help="data set to un-normalise those checkpoints' actions")


def checkpoint(name: str, unnorm_key: str | None = None, needed: bool = False) -> Finding:
    """Say whether a checkpoint is healthy: it loads, the image matters, the key is there.

    With its largest step, to be compared with the arm's limits.

    Args:
        name: Shipped name or folder.
        unnorm_key: Data set whose statistics un-normalise; may be None where there is one only.
        needed: Whether the demo cannot do without it.
    """
    title = f'checkpoint {name}'
    remedy = "the checkpoint's files once more, or another checkpoint"
    try:
        from vla_accel_ros.models.policy import Policy
        from vla_accel_ros.models.weights import checked_by
        folder = checkpoint_folder(name)
        policy = Policy.load(folder, unnorm_key=unnorm_key)
        policy.self_test()
        metres, radians = policy.statistics.largest_step()
        verified = checked_by(folder)
    except Exception as error:
        # A damaged checkpoint may raise anything, out of any library; the next check goes on.
        why = ' '.join(str(error).split())
        if not isinstance(error, OSError | ValueError | ImportError | RuntimeError) or not why:
            why = f'{type(error).__name__}: {why}'
        return Finding(title, False, why, needed, remedy)
    text = (f'loads; the image changes the action; {policy.cameras} camera(s); largest step '
            f'{metres:.3f} m, {radians:.3f} rad; '
            f'{"checksum right" if verified else "no checksum"}')
    return Finding(title, True, text, needed, details={
        'largest_step_m': metres, 'largest_step_rad': radians, 'checksum': verified})


def examine(checkpoints: list[str], unnorm_key: str | None = None) -> Iterator[Finding]:
    """Yield the findings one by one, as they come.

    Args:
        checkpoints: Names or folders to check besides the shipped ones.
        unnorm_key: For those.
    """
    yield machine.python()
    yield machine.cores()
    yield machine.ros()
    yield machine.launch()
    yield machine.dds_profile()
    yield machine.torch()
    yield machine.package('mujoco', 'mujoco', 'the embedded arm', needed=True)
    yield machine.opengl()
    yield machine.package('imageio-ffmpeg', 'imageio_ffmpeg', 'videos', needed=True)
    shipped = list(shipped_checkpoints())
    if not shipped:
        yield Finding('checkpoint', False, 'none is shipped with this installation', True,
                      'vla-accel train makes one')
    for name in shipped:
        yield checkpoint(name, needed=True)
    for name in checkpoints:
        yield checkpoint(name, unnorm_key)


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
        0 when the demo can run here and each checkpoint asked for is healthy, else 1.
    """
    findings = []
    for finding in examine(args.checkpoint or [], args.unnorm_key):
        findings.append(finding)
        if not args.json:
            print(_line(finding), flush=True)
    asked = {f'checkpoint {name}' for name in args.checkpoint or []}
    lacking = [f.name for f in findings if not f.ok and (f.needed or f.name in asked)]
    if args.json:
        json.dump({'ok': not lacking, 'lacking': lacking, 'findings': [
            {'name': f.name, 'ok': f.ok, 'needed': f.needed, 'text': f.text, 'remedy': f.remedy,
             **f.details} for f in findings]}, sys.stdout, indent=2)
        print()
    elif lacking:
        print(f'\nlacking: {", ".join(lacking)}')
    else:
        print('\nall that the demo needs is there')
    return 1 if lacking else 0
