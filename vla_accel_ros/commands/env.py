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

"""`vla-accel env`: try an environment out before a model acts in it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from vla_accel_ros.acceleration import find
from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments import registry
from vla_accel_ros.environments.rehearsal import POLICIES, rehearse, views_side_by_side
from vla_accel_ros.evaluation import seeds
from vla_accel_ros.evaluation.expert_driver import compare
from vla_accel_ros.evaluation.statistics import wilson
from vla_accel_ros.evaluation.table import SCHEDULE, table
from vla_accel_ros.files.outputs import check_file
from vla_accel_ros.files.own_outputs import SOFTWARE, of_picture
from vla_accel_ros.files.whole_files import replace_whole
from vla_accel_ros.replay.progress import Bar


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('environment', help=registry.HELP)
    add('--policy', choices=POLICIES, default='random', help='who acts (%(default)s)')
    add(
        '--methods',
        default=None,
        help='with --policy expert: the expert is asked when these methods would ask their model, '
        'side by side as in vla-accel eval; shows what scheduling alone does',
    )
    add('--episodes', type=int, default=20, help='how many (%(default)s)')
    add(
        '--seed',
        type=int,
        default=seeds.RANGES['reporting'].start,
        help='of the first episode (%(default)s)',
    )
    add('--task', default=None, help="what to do; the environment's own by default")
    add('--image-size', type=int, default=224, help='side of the pictures, pixels (%(default)s)')
    add(
        '--max-steps',
        type=int,
        default=None,
        help="steps after which an episode is cut off; the task's own by default",
    )
    add(
        '--env-config',
        type=Path,
        default=None,
        help='YAML file on an environment that is not known, see docs/environments.md',
    )
    add(
        '--picture',
        type=Path,
        default=None,
        help='PNG file for the views as a policy sees them, at the start and at the end',
    )


def run(args: argparse.Namespace) -> int:
    """Run the episodes; return 0 when all were run."""
    if args.episodes < 1:
        raise ValueError(f'{args.episodes} episodes asked for, expected at least 1')
    if args.seed < 0:
        raise ValueError(f'--seed is {args.seed}, expected at least 0')
    registry.check_sizes(args.image_size, args.max_steps)
    methods = None if args.methods is None else find(args.methods)
    if methods is not None and args.policy != 'expert':
        raise ValueError(f'--methods is for --policy expert, here it is {args.policy}')
    if args.picture is not None:
        if args.picture.suffix.lower() != '.png':
            raise ValueError(f'--picture is {args.picture}, expected a name that ends in .png')
        check_file(args.picture, '--picture', of_picture)
    kind = registry.find(args.environment, args.env_config)
    instructions = kind.instructions(kind.default_task if args.task is None else args.task)
    environment = kind.make(args.image_size, args.max_steps)
    try:
        found = _try(args, environment, instructions)
        if methods is not None:
            bar = Bar(args.episodes * len(methods), 'episodes')
            seeds_of = range(args.seed, args.seed + args.episodes)
            found['methods'] = compare(environment, methods, seeds_of, instructions, bar.show)
            bar.end()
    finally:
        environment.close()
    whole = {
        'environment': kind.name,
        'policy': args.policy,
        'views': list(kind.cameras),
        'step_s': environment.step_s,
        'instructions': list(instructions),
        **found,
    }
    print(json.dumps(whole) if args.json else _text(whole))
    return 0


def _try(args: argparse.Namespace, environment, instructions: tuple[str, ...]) -> dict:
    first = args.seed
    environment.reset(first, instructions[first % len(instructions)])
    start, picture_ms = views_side_by_side(environment)
    low, high = environment.limits()
    results, bar = [], Bar(args.episodes, 'episodes')
    bar.show(0)
    for seed in range(first, first + args.episodes):
        asked = instructions[seed % len(instructions)]
        results.append(rehearse(environment, args.policy, seed, asked))
        bar.show(len(results))
    bar.end()
    if args.picture is not None:
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        end, _ = views_side_by_side(environment)
        made_by = PngInfo()
        made_by.add_text(*SOFTWARE)
        picture = Image.fromarray(np.concatenate([start, end]))
        replace_whole(args.picture, lambda file: picture.save(file, format='PNG', pnginfo=made_by))
    won = [r for r in results if r.success]
    return {
        'episodes': len(results),
        'successes': len(won),
        'success': len(won) / len(results),
        'success_ci': list(wilson(len(won), len(results))),
        'successes_at_end': sum(r.at_end for r in results),
        'steps_per_success': float(np.mean([r.steps for r in won])) if won else None,
        'step_ms_p50': float(np.median([ms for r in results for ms in r.step_ms])),
        'views_ms': picture_ms,
        'limits': {
            name: [float(low[i]), float(high[i])] for i, name in enumerate(END_EFFECTOR.names)
        },
        'failed_seeds': [r.seed for r in results if not r.success],
    }


def _text(found: dict) -> str:
    if 'methods' in found:
        return f'{_outcome(found)}\n\n{table(SCHEDULE, found["methods"])}'
    return _outcome(found)


def _outcome(found: dict) -> str:
    words = found['instructions']
    asked = f'"{words[0]}"' + (f' and {len(words) - 1} more' if len(words) > 1 else '')
    low, high = found['success_ci']
    steps = found['steps_per_success']
    mean = '' if steps is None else f', {steps:.1f} steps each'
    at_end = found['successes_at_end']
    if at_end != found['successes']:
        mean += f'; {at_end} at the end of the episode'
    ends = '  '.join(f'{name} {a:g}..{b:g}' for name, (a, b) in found['limits'].items())
    return '\n'.join(
        [
            f'{found["environment"]}: {asked}',
            f'views    {", ".join(found["views"])}: {found["views_ms"]:.1f} ms together',
            f'actions  {ends}   m and rad a step',
            f'step     {found["step_s"]:g} s, computed in {found["step_ms_p50"]:.1f} ms (p50)',
            f'{found["policy"]:8s} {found["successes"]}/{found["episodes"]} = '
            f'{found["success"]:.0%} (95 % interval {low:.0%} to {high:.0%}){mean}',
        ]
    )
