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

"""`vla-accel train`: make the embedded checkpoint again, from nothing but its recipe."""

from __future__ import annotations

import argparse
from dataclasses import replace
import json
import os
from pathlib import Path
import sys

from vla_accel_ros.devices import device_name
from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.outputs import check_outside, json_with
from vla_accel_ros.paths import checkpoint_folder, share_files
from vla_accel_ros.stopping import Interrupt
from vla_accel_ros.training.recipe_parts import LOSSES, TABLETOP

LOG, RESULT, CURVES, CHECKPOINT = 'log.jsonl', 'result.json', 'curves.png', 'checkpoint'
# All that a run leaves in its folder.
NAMES = ('frames', 'state.pt', LOG, CHECKPOINT, CURVES, RESULT)
# Action loss of frames learnt by heart: nats of all 7 tokens, normalised error of a chunk, square
# error of what a head that denoises predicts.
OVERFITTED = {'tokens': 1.0, 'chunk': 0.03, 'denoised': 0.1}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add(
        '--recipe',
        default='tabletop-s',
        help='a recipe of config/training, or a YAML file (%(default)s)',
    )
    add(
        '--out',
        type=Path,
        default=None,
        help=(
            'folder of the run: frames, state, log, checkpoint; a run found there goes on '
            '(out/train/<name of the recipe>)'
        ),
    )
    add(
        '--device',
        type=device_name,
        default=None,
        help='cpu or cuda; cuda where there is one by default',
    )
    add('--threads', type=int, default=None, help='threads of torch; all cores by default')
    add(
        '--workers',
        type=int,
        default=os.cpu_count() or 1,
        help='processes that make frames (%(default)s)',
    )
    add(
        '--overfit',
        type=int,
        default=None,
        metavar='N',
        help=(
            'sanity check: learn the first N frames of each set by heart, 400 steps; succeeds '
            'when the action loss falls below '
            f'{OVERFITTED["tokens"]} nats for all 7 tokens together, {OVERFITTED["chunk"]} of '
            f'the range for the numbers of a chunk, or a square error of '
            f'{OVERFITTED["denoised"]} for a head that denoises'
        ),
    )


def recipe_file(name: str) -> Path:
    """Return the file of a recipe given by name or path.

    Raises:
        FileNotFoundError: When there is none; the message lists those that come along.
    """
    known = {file.stem: file for file in share_files('config/training', '*.yaml')}
    if name in known:
        return known[name]
    file = Path(name).expanduser()
    if os.sep in name or name.endswith(('.yaml', '.yml')):
        if file.is_file():
            return file
        raise FileNotFoundError(f'recipe {name} is no file')
    raise FileNotFoundError(
        f"there is no recipe '{name}', expected a YAML file or one of: {', '.join(known)}"
    )


def answers_in(model) -> str:
    """Return in what a model of a recipe answers, as a name in `OVERFITTED`."""
    if model.head != 'own':
        return 'denoised'
    return 'chunk' if model.chunk else 'tokens'


def overfitting(recipe, frames: int):
    """Return the recipe with which a model learns a few frames by heart.

    Raises:
        ValueError: When there is no frame.
    """
    if frames < 1:
        raise ValueError(f'--overfit is {frames}, expected at least 1')
    kinds = ('wander', 'demonstration')
    task = recipe.data[next(iter(recipe.stages[-1].mix))].task
    data = {
        k: replace(v, frames=max(frames, 64))
        for k, v in recipe.data.items()
        if v.kind in kinds and v.task == task
    }
    losses = dict.fromkeys(LOSSES, 1.0)
    if answers_in(recipe.model) == 'chunk':
        # The mean error of a chunk is a fraction, where tokens have some nats.
        losses['action'] = 10.0
    stage = replace(
        recipe.stages[0],
        name='overfit',
        images=400 * recipe.batch,
        evaluate=0,
        floor=0.1,
        tokens=0,
        mix=dict.fromkeys(data, 1.0),
        losses=losses,
    )
    asked = recipe.instructions
    if recipe.world != TABLETOP:
        # A chunk is of one task, and these few frames are one chunk.
        asked = asked[:1]
    return replace(
        recipe,
        instructions=asked,
        data=data,
        stages=(stage,),
        statistics=(),
        jitter=0.0,
        warmup=20,
    )


def run(args: argparse.Namespace) -> int:
    """Train; return 0 when the recipe was followed to its end."""
    import torch

    from vla_accel_ros.training import recipe_yaml
    from vla_accel_ros.training.forecast import forecast
    from vla_accel_ros.training.trainer import Trainer

    settings = recipe_yaml.load(recipe_file(args.recipe))
    name = settings.name
    if args.overfit is not None:
        settings, name = overfitting(settings, args.overfit), f'{name}-overfit'
    for option in ('workers', 'threads'):
        if getattr(args, option) is not None and getattr(args, option) < 1:
            raise ValueError(f'--{option} is {getattr(args, option)}, expected at least 1')
    torch.set_num_threads(args.threads or os.cpu_count() or 1)
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    out = args.out or Path('out') / 'train' / name
    if settings.start:
        check_outside(out / CHECKPOINT, [checkpoint_folder(settings.start)])
    files = OutputFolder(out, 'train', NAMES, _of_earlier)
    files.check()

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    for line in forecast(settings, out):
        say(line)
    with files:
        for entry in NAMES:
            files.note(entry)
        trainer = Trainer(settings, out, device, args.workers, args.overfit, say)
        with Interrupt('stopping after the step under way; all is kept', trainer.stop) as stop:
            trainer.run()
            return _conclude(args, trainer, files, name, stop)


def _of_earlier(folder: Path) -> bool:
    """Say whether a folder without a list of outputs is of a training."""
    frames = json_with('count', 'size', 'cameras', 'instructions', 'chunk')
    return json_with('recipe', 'out', 'complete')(folder / RESULT) or any(
        map(frames, folder.glob('frames/*/frames.json'))
    )


def _conclude(
    args: argparse.Namespace, trainer, files: OutputFolder, name: str, stop: Interrupt
) -> int:
    from vla_accel_ros.training import curves

    out, log = files.path, files.path / LOG
    result = {'recipe': name, 'out': str(out), 'complete': not trainer.stopped}
    if log.exists():
        curves.draw(log, out / CURVES)
        lines = curves.read(log)
        result['last'] = next((n for n in reversed(lines) if 'action' in n), None)
        result['checks'] = [n for n in lines if 'success' in n]
    files.write(RESULT, json.dumps(result, indent=1) + '\n')
    if args.json:
        print(json.dumps(result))
    elif trainer.exported:
        drawn = f'; curves and log in {out}' if log.exists() else ''
        print(f'{trainer.folder}{drawn}')
    if trainer.stopped:
        none = '' if trainer.exported else '; there is no model yet'
        print(f'stopped{none}; the same command goes on from {out}', file=sys.stderr)
        return stop.code
    if args.overfit is not None:
        enough = OVERFITTED[answers_in(trainer.recipe.model)]
        return int(result['last']['action'] > enough)
    return 0
