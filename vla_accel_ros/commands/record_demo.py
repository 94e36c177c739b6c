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

"""`vla-accel record-demo`: episodes of the embedded arm as a bag, to try replay on."""

from __future__ import annotations

import argparse
from copy import deepcopy
from itertools import cycle, islice
import json
from pathlib import Path
import sys

from vla_accel_ros.engines import wish
from vla_accel_ros.evaluation import seeds
from vla_accel_ros.files.locks import Lock
from vla_accel_ros.files.whole_files import naming
from vla_accel_ros.inputs.trajectories import NS
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, checkpoint_folder
from vla_accel_ros.sim.tasks import TASKS, all_instructions, parse
from vla_accel_ros.stopping import Interrupt, Stopped

# Stamps begin here (2026-01-01), so that the same command writes the same bag.
BEGIN_NS = 1_767_225_600 * NS
# Between two episodes, and from an instruction to the first frame under it.
GAP_NS, LEAD_NS = 2 * NS, NS // 1000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add('--out', type=Path, required=True, metavar='BAG', help='folder that becomes the bag')
    add('--episodes', type=int, default=10, metavar='N', help='how many (%(default)s)')
    add(
        '--seed',
        type=int,
        default=seeds.RANGES['reporting'].start,
        help=('of the first episode; each next one has the next (%(default)s)'),
    )
    add(
        '--task',
        default='lift',
        help=(
            f'an instruction, or one of {", ".join(TASKS)}: its instructions in turn (%(default)s)'
        ),
    )
    add(
        '--checkpoint',
        default=DEFAULT_CHECKPOINT,
        help=('who drives, unaccelerated; also decides the size of the pictures (%(default)s)'),
    )
    # Another engine may round otherwise, and the same command is to write the same bag.
    wish.add_arguments(parser, 'eager')
    add('--expert', action='store_true', help='the scripted expert drives')
    add(
        '--image-size',
        type=int,
        default=None,
        metavar='PIXELS',
        help="side of the pictures; the checkpoint's own by default",
    )
    add('--compressed', action='store_true', help='JPEG pictures instead of raw ones')


def run(args: argparse.Namespace) -> int:
    """Record; return 0 when the bag is whole.

    Raises:
        ValueError: When an argument makes no sense.
        FileExistsError: When there is something of the bag's name.
    """
    from vla_accel_ros.replay.demo.writer import check_new

    known = all_instructions(args.task) if args.task in TASKS else [parse(args.task).instruction]
    seed_range = _seeds(args.seed, args.episodes)
    folder = checkpoint_folder(args.checkpoint)
    check_new(args.out)
    lock = Lock.beside(args.out)
    lock.probe()
    print(f'record-demo: recording {args.episodes} episodes', file=sys.stderr)
    with lock, Interrupt('stopping: the episode under way is left out') as stop, naming(args.out):
        return _record(
            args,
            folder,
            list(zip(seed_range, islice(cycle(known), len(seed_range)), strict=True)),
            stop,
        )


def _record(
    args: argparse.Namespace, folder: Path, episodes: list[tuple[int, str]], stop: Interrupt
) -> int:
    from vla_accel_ros.models.checkpoints.config_file import read_config
    from vla_accel_ros.replay.demo.episodes import Shot, play
    from vla_accel_ros.replay.demo.writer import CAMERAS, BagWriter
    from vla_accel_ros.replay.progress import Bar
    from vla_accel_ros.sim.env import TabletopEnv

    env = TabletopEnv(
        image_size=args.image_size or read_config(folder).image_size, cameras=tuple(CAMERAS)
    )
    driver = None if args.expert else _driver(folder, wish.wish_of(args), env.control_dt)
    about = {
        'recorded_by': 'vla-accel record-demo',
        'driver': 'expert' if args.expert else folder.name,
        'first_seed': str(args.seed),
        'task': args.task,
    }
    bar, begin_ns, frames, successes, done = Bar(args.episodes, 'episodes'), BEGIN_NS, 0, 0, 0
    with BagWriter(args.out, env.control_dt, args.compressed, about) as bag:
        for seed, instruction in episodes:
            bar.show(done)
            actor = None
            if driver is not None:
                driver.reset(instruction)
                actor = _actor(driver)
            # An episode is written once it is over: of one that is left nothing is in the bag.
            shots: list[Shot] = []

            def keep(shot: Shot, shots: list[Shot] = shots) -> None:
                if stop():
                    raise Stopped
                # The arm may use its arrays again.
                shots.append(deepcopy(shot))

            try:
                success, over_ns = play(env, seed, instruction, begin_ns, actor, keep)
            except Stopped:
                break
            bag.instruction(begin_ns - LEAD_NS, instruction)
            for shot in shots:
                for camera, pixels in shot.views.items():
                    bag.image(shot.stamp_ns, camera, pixels)
                bag.pose(shot.stamp_ns, *shot.pose)
                bag.action(shot.stamp_ns, shot.action)
                bag.command(shot.stamp_ns, shot.action)
            frames, done = frames + len(shots), done + 1
            successes, begin_ns = successes + success, over_ns + GAP_NS
        if not done:
            stop.end()
        bar.show(done)
    bar.end()
    env.close()
    facts = {'bag': str(args.out), 'episodes': done, 'successes': successes, 'frames': frames}
    print(
        json.dumps(facts)
        if args.json
        else (
            f'{args.out}: {done} episodes, {successes} successful, {frames} frames of '
            f'{env.image_size} px, driven by {about["driver"]}'
        )
    )
    if done < len(episodes):
        print(f'interrupted: {done} of {len(episodes)} episodes were recorded', file=sys.stderr)
        return stop.code
    return 0


def _seeds(first: int, count: int) -> range:
    known = seeds.purpose(first)
    if known is None:
        raise ValueError(f'--seed is {first}, expected one of {seeds.RANGES}')
    return seeds.require(known, first, count)


def _driver(folder: Path, engine: wish.EngineWish, step_s: float):
    from vla_accel_ros.acceleration import BASELINE, parse
    from vla_accel_ros.evaluation.driver import Driver
    from vla_accel_ros.models.engine_choice import use_engine_aloud
    from vla_accel_ros.models.policy import Policy

    # One thread: the order of a sum, and so the last bit of an action, stays the same.
    policy = Policy.load(folder, threads=1)
    use_engine_aloud(policy, engine, lambda line: print(f'record-demo: {line}', file=sys.stderr))
    return Driver(policy, parse(BASELINE).at_step(step_s))


def _actor(driver):
    def act(seen):
        record = driver.step(seen.stamp_ns, seen.stamp_ns, lambda: seen)
        if record.action is None:
            raise RuntimeError(f'no action at {seen.stamp_ns} ns: {record.reason}')
        return record.action

    return act
