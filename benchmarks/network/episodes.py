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

"""Episodes of the embedded arm with inference beyond a bad link: up to which delay they succeed.

`python -m benchmarks.network.episodes` makes two network namespaces, runs the robot's side with
the embedded arm in one and inference in the other, and the same episodes over each kind of link.
It takes root and /dev/net/tun. Kinds that are not asked for keep what was measured before.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import closing
import json
import os
from pathlib import Path
import sys
import tempfile

from benchmarks.network.condition import CONDITIONS, Condition
from benchmarks.network.link import Link, missing, variables
from benchmarks.network.page import page
from vla_accel_ros.evaluation import conditions, seeds
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.graph.demo_episode import START_S, run_episode
from vla_accel_ros.graph.demo_graph import RunningGraph, reserve_domain
from vla_accel_ros.graph.demo_report import DemoEpisode, line
from vla_accel_ros.graph.processes import Deployment, processes
from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.stopping import Ended

RESULTS = Path(__file__).parents[1] / 'results'
FIRST_SEED = 2_005_000


class Course:
    """Two hosts with the graph on them, and an operator on the robot's.

    Args:
        link: Between the hosts; this thread lives on the robot's.
        operator: Of the arm.
        pids: Of the processes on both.
    """

    def __init__(self, link: Link, operator, pids: Iterable[int]) -> None:
        self._link, self._operator, self._pids = link, operator, tuple(pids)

    def run(self, condition: Condition, chosen: range, limit_s: float) -> dict:
        """Run the episodes over one kind of link and return what was seen."""
        known, rows, ms = all_instructions(), [], []
        before, meter = self._link.be(**condition.link(0.0)), conditions.CpuMeter(self._pids)
        for number, seed in enumerate(chosen):
            words = known[seed % len(known)]

            def show(episode: DemoEpisode, over: bool) -> None:
                # Between episodes the link is whole: the arm is told what to do.
                self._link.be(**condition.link(0.0 if over else episode.seconds))

            episode = run_episode(self._operator, number, seed, words, limit_s, show, 20.0)
            rows.append(
                {k: episode.facts()[k] for k in ('seed', 'instruction', 'success', 'seconds')}
            )
            ms += episode.record.values('latency_ms').tolist()
            print(line(episode, len(chosen), self._operator.recent, final=True), flush=True)
        after, shares = self._link.be(), meter.shares()
        return {
            'episodes': rows,
            'answer_ms': ms,
            **{key: after[key] - before[key] for key in after},
            'others': shares['others'],
        }


def measure(args: argparse.Namespace, names: list[str], keep) -> None:
    """Start both sides, run the episodes of each kind of link, and keep each result at once."""
    from vla_accel_ros.graph.operator import Operator
    from vla_accel_ros.ros.spin import StopSignal

    chosen = seeds.require('reporting', args.seed, args.episodes)
    sides = (
        Deployment(sim=True, side='robot', checkpoint=args.checkpoint),
        Deployment(side='gpu', checkpoint=args.checkpoint, device='cpu', engine='eager'),
    )
    robot, gpu = map(processes, sides)
    domain, holder = reserve_domain()
    stop = StopSignal()
    with closing(holder), tempfile.TemporaryDirectory() as logs, Link() as link, link.on_robot():
        os.environ.update(variables(), ROS_DOMAIN_ID=str(domain))
        here = RunningGraph(robot, sides[0], Path(logs), {})
        there = RunningGraph(gpu, sides[1], Path(logs), {}, link.on_gpu)

        def check() -> None:
            if stop:
                raise Ended(stop.signum)
            here.check()
            there.check()

        with stop, here, there, closing(Operator(domain, check)) as operator:
            operator.until_active([each.name for each in (*robot, *gpu)], START_S)
            pids = (*here.pids().values(), *there.pids().values(), link.pid)
            course = Course(link, operator, pids)
            for name in names:
                print(f'-- {name}', flush=True)
                keep(name, course.run(CONDITIONS[name], chosen, args.limit))


def main() -> int:
    """Measure, and write table and figures into `benchmarks/results`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('--checkpoint', default='tabletop-s', help='what drives the arm (%(default)s)')
    add('--episodes', type=int, default=10, help='over each kind of link (%(default)s)')
    add('--seed', type=int, default=FIRST_SEED, help='of the first episode (%(default)s)')
    add('--limit', type=float, default=30.0, help='seconds an episode may take (%(default)s)')
    add('--links', default=';'.join(CONDITIONS), help='which, with semicolons (%(default)s)')
    add('--results', type=Path, default=RESULTS, help='folder of network.json and network.md')
    args = parser.parse_args()
    names = args.links.split(';')
    if unknown := [name for name in names if name not in CONDITIONS]:
        parser.error(f'{unknown[0]!r} is no link, expected some of {"; ".join(CONDITIONS)}')
    if lacks := missing():
        print(f'two hosts cannot be made here: {lacks}', file=sys.stderr)
        return 1
    settings = {'checkpoint': args.checkpoint, 'limit_s': args.limit, 'seed': args.seed}
    file = args.results / 'network.json'
    found = json.loads(file.read_text(encoding='utf-8')) if file.is_file() else {}
    if found.get('settings') != settings:
        found = {
            'kind': 'python -m benchmarks.network.episodes',
            'settings': settings,
            'links': {},
        }

    def keep(name: str, run: dict) -> None:
        found['links'][name] = {**run, 'date': conditions.today()}
        found.update(machine=conditions.machine(), versions=conditions.versions())
        # In the order of the table, whenever each was measured.
        found['links'] = {
            each: found['links'][each] for each in CONDITIONS if each in found['links']
        }
        write_whole(file, json.dumps(found, indent=1) + '\n')
        write_whole(args.results / 'network.md', page(found))

    measure(args, names, keep)
    return 0


if __name__ == '__main__':
    sys.exit(main())
