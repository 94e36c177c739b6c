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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
import json
import os
from pathlib import Path
import signal
import sys

from vla_accel_ros.devices import device_name
from vla_accel_ros.paths import share_file
from vla_accel_ros.training.recipe import LOSSES

INTERRUPTED = 130
# Action loss of frames learnt by heart: nats of all 7 tokens, normalised error of a chunk.
OVERFITTED = {'tokens': 1.0, 'chunk': 0.03}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('--recipe', default='tabletop-s',
        help='a recipe of config/training, or a YAML file (%(default)s)')
    add('--out', type=Path, default=None, help=(
        'folder of the run: frames, state, log, checkpoint; a run found there goes on '
        '(out/train/<name of the recipe>)'))
    add('--device', type=device_name, default=None,
        help='cpu or cuda; cuda where there is one by default')
    add('--threads', type=int, default=None, help='threads of torch; all cores by default')
    add('--workers', type=int, default=os.cpu_count() or 1,
        help='processes that make frames (%(default)s)')
    add('--overfit', type=int, default=None, metavar='N', help=(
        'sanity check: learn the first N frames of each set by heart, 400 steps; succeeds when '
        'the action loss falls below '
        f'{OVERFITTED["tokens"]} nats for all 7 tokens together, or {OVERFITTED["chunk"]} of '
        'the range for the numbers of a chunk'))


def recipe_file(name: str) -> Path:
    """Return the file of a recipe given by name or path.

    Raises:
        FileNotFoundError: When there is none.
    """
    if name.endswith(('.yaml', '.yml')):
        if not Path(name).is_file():
            raise FileNotFoundError(f'recipe {name} is not there')
        return Path(name)
    return share_file(f'config/training/{name}.yaml')


def overfitting(recipe, frames: int):
    """Return the recipe with which a model learns a few frames by heart.

    Raises:
        ValueError: When there is no frame.
    """
    if frames < 1:
        raise ValueError(f'--overfit is {frames}, expected at least 1')
    kinds = ('wander', 'demonstration')
    task = recipe.data[next(iter(recipe.stages[-1].mix))].task
    data = {k: replace(v, frames=max(frames, 64)) for k, v in recipe.data.items()
            if v.kind in kinds and v.task == task}
    losses = dict.fromkeys(LOSSES, 1.0)
    if recipe.model.chunk:
        # The mean error of a chunk is a fraction, where tokens have some nats.
        losses['action'] = 10.0
    stage = replace(
        recipe.stages[0], name='overfit', images=400 * recipe.batch, evaluate=0, floor=0.1,
        tokens=0, mix=dict.fromkeys(data, 1.0), losses=losses)
    return replace(recipe, data=data, stages=(stage,), statistics=(), jitter=0.0, warmup=20)


@contextmanager
def stopping(trainer) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the training after the step under way."""
    def stop(*_) -> None:
        if trainer.stopped:
            raise KeyboardInterrupt
        trainer.stopped = True

    before = {kind: signal.signal(kind, stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def run(args: argparse.Namespace) -> int:
    """Train; return 0 when the recipe was followed to its end."""
    import torch

    from vla_accel_ros.training import curves, recipe_yaml
    from vla_accel_ros.training.trainer import LOG, Trainer

    settings = recipe_yaml.load(recipe_file(args.recipe))
    name = settings.name
    if args.overfit is not None:
        settings, name = overfitting(settings, args.overfit), f'{name}-overfit'
    torch.set_num_threads(args.threads or os.cpu_count() or 1)
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    out = args.out or Path('out') / 'train' / name
    trainer = Trainer(settings, out, device, args.workers, args.overfit,
                      lambda line: print(line, file=sys.stderr, flush=True))
    with stopping(trainer):
        folder = trainer.run()
    result = {'recipe': name, 'out': str(out), 'complete': not trainer.stopped}
    if (out / LOG).exists():
        curves.draw(out / LOG, out / 'curves.png')
        lines = curves.read(out / LOG)
        result['last'] = next((n for n in reversed(lines) if 'action' in n), None)
        result['checks'] = [n for n in lines if 'success' in n]
    (out / 'result.json').write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')
    print(json.dumps(result) if args.json else f'{folder}; curves and log in {out}')
    if trainer.stopped:
        print(f'stopped; the same command goes on from {out}', file=sys.stderr)
        return INTERRUPTED
    if args.overfit is not None:
        enough = OVERFITTED['chunk' if settings.model.chunk else 'tokens']
        return int(result['last']['action'] > enough)
    return 0
