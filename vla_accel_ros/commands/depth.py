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


"""`vla-accel depth`: how much each decoder layer matters, and a checkpoint without some."""

from __future__ import annotations

import argparse
from itertools import islice
import json
from pathlib import Path

from vla_accel_ros.engines.wish import EAGER
from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.outputs import check_outside
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.replay.options import reading

RESULT = 'depth.json'
FRAMES = 200


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('bag', type=Path, metavar='BAG', help='recorded frames, as `vla-accel replay` reads them')
    add(
        '--frames',
        type=int,
        default=FRAMES,
        help='how many are looked at, evenly spread over the bag (%(default)s)',
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        '--drop',
        type=int,
        default=None,
        metavar='N',
        help='leave out the N layers that matter least; nothing is written without or --layers',
    )
    which.add_argument(
        '--layers', default=None, metavar='LIST', help='leave out these, counted from 0, as 1,2'
    )
    add(
        '--out',
        type=Path,
        default=None,
        metavar='DIR',
        help='folder of the new checkpoint (out/depth/NAME-LAYERS)',
    )
    reading(parser, engines=False)
    # One policy, unaccelerated, on every frame that is looked at, layer by layer.
    parser.set_defaults(methods='none', mode='offline', clock='step', latency_ms=None)
    parser.set_defaults(**vars(EAGER))


def run(args: argparse.Namespace) -> int:
    """Measure, and write the checkpoint if layers are to be left out.

    Returns:
        0.

    Raises:
        ValueError: When an argument, the bag or the checkpoint will not do.
    """
    from vla_accel_ros.models.depth import MADE, LayerChanges, beside, derive, least, read_layers
    from vla_accel_ros.replay.session import prepare

    if args.frames < 1:
        raise ValueError(f'--frames is {args.frames}, expected at least 1')
    say = (lambda _text: None) if args.json else print
    asked = None if args.layers is None else read_layers(args.layers)
    session, watch = prepare(args, say), LayerChanges()
    policy, source = session.policy, checkpoint_folder(args.checkpoint)
    policy.set_engine(watch)
    every = max(1, session.observations // args.frames)
    moments = (m.observation for m in session.stream() if m.observation is not None)
    for observation in islice(moments, 0, every * args.frames, every):
        policy.predict(observation, resized=True)
    if not watch.sequences:
        raise ValueError(f'{args.bag} holds no observation that the policy can be asked about')
    importance = watch.importance
    layers = asked if args.drop is None else least(importance, args.drop)
    found = {
        'checkpoint': str(args.checkpoint),
        'bag': str(args.bag),
        'frames': watch.sequences,
        'importance': {str(layer): round(value, 6) for layer, value in importance.items()},
        'left_out': list(layers or ()),
    }
    say(f'{watch.sequences} frames; 1 - cosine of what enters and leaves each decoder layer:')
    for layer, value in importance.items():
        mark = '  left out' if layer in (layers or ()) else ''
        say(f'  {layer:3d}  {value:.4f}{mark}')
    if layers is not None:
        name = f'{source.name}-without-{"-".join(map(str, layers))}'
        out = args.out or Path('out/depth') / name
        check_outside(out, (source, args.bag))
        names = (*MADE, *beside(source), RESULT)
        with OutputFolder(out, 'depth', names) as files:
            for each in (*MADE, *beside(source)):
                files.note(each)
            derive(source, out, layers)
            files.write(RESULT, json.dumps(found, indent=1) + '\n')
        found['out'] = str(out)
        say(f'\n  {out}')
    if args.json:
        print(json.dumps(found))
    return 0
