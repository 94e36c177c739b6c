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


"""`vla-accel demo`: the whole graph on the embedded arm, live, with a video at the end."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice
import json
from pathlib import Path
import sys
import time

from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.graph.demo_arms import MOST_ARMS, arms_summary, arms_table, plans, run_arms
from vla_accel_ros.graph.demo_episode import START_S, run_episode
from vla_accel_ros.graph.demo_graph import ProcessDiedError, RunningGraph, looking, reserve_domain
from vla_accel_ros.graph.demo_report import (
    LOGS,
    NAMES,
    SUMMARY,
    DemoEpisode,
    line,
    of_earlier,
    report,
    summary,
    table,
)
from vla_accel_ros.graph.processes import Deployment, overridden, processes
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, checkpoint_folder
from vla_accel_ros.sim.tasks import TASKS, all_instructions, parse
from vla_accel_ros.stopping import Ended

MOVED_M = 0.01


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        '--arms',
        type=int,
        default=1,
        metavar='N',
        help='how many arms one inference node serves, each with an instruction of its own '
        '(default 1)',
    )
    parser.add_argument(
        '--episodes',
        type=int,
        default=None,
        metavar='N',
        help='how many, of each arm (default 5, with several arms 1)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        metavar='S',
        help='seed of the first episode; each next one has the next (default 0); the model was '
        'trained on seeds below 1000000',
    )
    parser.add_argument(
        '--task',
        default='lift',
        metavar='WORDS',
        help=f'an instruction, or one of {", ".join(TASKS)}: its instructions in turn '
        '(default lift)',
    )
    parser.add_argument(
        '--checkpoint',
        default=DEFAULT_CHECKPOINT,
        metavar='NAME_OR_FOLDER',
        help='which model drives the arm (default %(default)s)',
    )
    parser.add_argument(
        '--engine',
        default='',
        metavar='NAME',
        help='what runs the model, such as eager or onnxruntime (default: the parameters, which '
        'take auto)',
    )
    parser.add_argument(
        '--limit',
        type=float,
        default=15.0,
        metavar='SECONDS',
        help='an episode that takes longer has failed (default 15)',
    )
    parser.add_argument(
        '--params-file', default='', metavar='FILE', help='parameters of the nodes'
    )
    parser.add_argument(
        '--preset',
        default='',
        metavar='NAME_OR_FILE',
        help='how to accelerate, such as lossless or sp_vla (default: the parameters, which are '
        'as the preset fast)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/demo'),
        metavar='FOLDER',
        help='where video, picture, summary and logs go; of several arms summary and logs '
        '(default out/demo)',
    )
    parser.add_argument(
        '--min-success',
        type=int,
        default=0,
        metavar='N',
        help='fail unless so many episodes succeed (default 0: the arm has to move in each)',
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo.

    Returns:
        0 when every episode ran, the arm moved in each and enough of them succeeded, else 1.

    Raises:
        ValueError: When an argument makes no sense.
        FileNotFoundError: When there is no such checkpoint, parameter file or preset.
    """
    if args.episodes is None:
        args.episodes = 5 if args.arms == 1 else 1
    instructions = _instructions(args)
    checkpoint_folder(args.checkpoint)
    deployment = Deployment(
        sim=True,
        checkpoint=args.checkpoint,
        engine=args.engine,
        params_file=args.params_file,
        preset=args.preset,
    )
    files = OutputFolder(args.out, 'demo', NAMES, of_earlier)
    files.check()
    with files:
        for name in NAMES:
            files.note(name, kept=name == LOGS)
        return _run(args, deployment, instructions)


def _run(args: argparse.Namespace, deployment: Deployment, instructions: list[str]) -> int:
    # rclpy and the simulation are not needed for `--help`.
    from vla_accel_ros.graph.operator import GraphError

    show = (lambda *_, **__: None) if args.json else print
    if args.arms > 1:
        return _run_arms(args, deployment, show)
    try:
        episodes = list(_episodes(args, deployment, instructions, show))
    except (GraphError, ProcessDiedError) as error:
        print(f'vla-accel demo: {error}', file=sys.stderr)
        return 1
    facts = summary(episodes, args.checkpoint, args.min_success, MOVED_M)
    show('rendering the last episode')
    facts['files'] = report(args.out, facts, episodes[-1])
    show(table(facts))
    if args.json:
        print(json.dumps(facts, indent=2))
    return 0 if facts['ok'] else 1


def _run_arms(args: argparse.Namespace, deployment: Deployment, show) -> int:
    from vla_accel_ros.graph.operator import GraphError

    planned = plans(args.arms, args.episodes, args.seed, _known(args.task))
    try:
        found = run_arms(deployment, planned, args.out / LOGS, args.limit, show)
    except (GraphError, ProcessDiedError) as error:
        print(f'vla-accel demo: {error}', file=sys.stderr)
        return 1
    facts = arms_summary(found, args.checkpoint, args.min_success, MOVED_M)
    write_whole(args.out / SUMMARY, json.dumps(facts, indent=2) + '\n')
    show(arms_table(facts))
    if args.json:
        print(json.dumps(facts, indent=2))
    return 0 if facts['ok'] else 1


def _known(task: str) -> list[str]:
    return all_instructions(task) if task in TASKS else [parse(task).instruction]


def _instructions(args: argparse.Namespace) -> list[str]:
    if args.episodes < 1:
        raise ValueError(f'--episodes is {args.episodes}, expected at least 1')
    if args.limit <= 0:
        raise ValueError(f'--limit is {args.limit}, expected above 0 seconds')
    if not 1 <= args.arms <= MOST_ARMS:
        raise ValueError(f'--arms is {args.arms}, expected 1 to {MOST_ARMS}')
    most = args.episodes * args.arms
    if not 0 <= args.min_success <= most:
        raise ValueError(f'--min-success is {args.min_success}, expected 0 to {most}')
    if args.seed < 0:
        raise ValueError(f'--seed is {args.seed}, expected 0 or more')
    return list(islice(cycle(_known(args.task)), args.episodes))


def _episodes(
    args, deployment: Deployment, instructions: list[str], show
) -> Iterator[DemoEpisode]:
    from vla_accel_ros.graph.operator import Operator
    from vla_accel_ros.ros.spin import StopSignal

    def check() -> None:
        # Raised here and not in a signal handler: no process is started without being noted.
        if stop:
            raise Ended(stop.signum)
        graph.check()

    listed = processes(deployment)
    domain, holder = reserve_domain()
    variables = {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    names = tuple(process.name for process in listed)
    show(f'starting {", ".join(names)} on ROS domain {domain}; logs in {args.out / LOGS}')
    show(looking(domain))
    for told in overridden(listed, deployment):
        show(told)
    begun = time.monotonic()
    stop = StopSignal()
    graph = RunningGraph(listed, deployment, args.out / LOGS, variables)
    with closing(holder), stop, graph:
        operator = Operator(domain, check)
        try:
            operator.until_active(names, START_S)
            show(f'all nodes are active after {time.monotonic() - begun:.1f} s')
            for number, instruction in enumerate(instructions):
                if number == len(instructions) - 1:
                    operator.watch()
                yield run_episode(
                    operator,
                    number,
                    args.seed + number,
                    instruction,
                    args.limit,
                    Live(args.episodes, operator, show),
                )
        finally:
            operator.close()


class Live:
    """Shows an episode while it runs: on a terminal in one line, else a line a second.

    Args:
        episodes: How many there are.
        operator: Of the arm.
        show: Prints.
    """

    def __init__(self, episodes: int, operator, show) -> None:
        self._episodes, self._operator, self._show = episodes, operator, show
        self._shown, self._live = 0.0, sys.stdout.isatty()

    def __call__(self, episode: DemoEpisode, final: bool) -> None:
        """Show it."""
        now, recent = time.monotonic(), self._operator.recent
        if final:
            self._show(line(episode, self._episodes, recent, final=True), flush=True)
        elif now - self._shown > (0 if self._live else 1):
            self._shown = now
            end = '\r' if self._live else '\n'
            self._show(line(episode, self._episodes, recent), end=end, flush=True)
