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

"""Held-out episodes of the embedded arm through its joint topics: every node, in real time.

`python -m vla_accel_ros.graph.joint_episodes` starts the five processes with a trajectory
controller's topic between arm_command and the arm, and prints how many episodes succeed.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
import json
from pathlib import Path
import sys

from vla_accel_ros.evaluation import seeds
from vla_accel_ros.evaluation.joint_space import arguments
from vla_accel_ros.evaluation.statistics import wilson
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.graph.demo_episode import START_S, run_episode
from vla_accel_ros.graph.demo_graph import ProcessDiedError, RunningGraph, reserve_domain
from vla_accel_ros.graph.demo_report import line
from vla_accel_ros.graph.processes import Deployment, Process, processes
from vla_accel_ros.nodes.arm_command_kind import TRAJECTORY
from vla_accel_ros.sim.joints import JOINT_STEPS
from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.stopping import Ended

SPACE = 'space.json'


def joint_processes(deployment: Deployment, space: Path) -> tuple[Process, ...]:
    """Return the processes of a deployment, with joints from the inference node to the arm.

    Args:
        deployment: Of the embedded arm.
        space: File of the space of the actions.
    """
    joints = {'command': TRAJECTORY, 'action_space': str(space)}
    # Every frame asks the policy: what is measured is the joint path, not a way to skip calls.
    changes: dict[str, dict[str, object]] = {
        'scheduler': {'action_space': str(space), 'rule': 'never'},
        'inference': {'pruning': 'none', 'decoder': 'greedy'},
        'arm_command': joints,
        'sim_arm': {'command': TRAJECTORY},
    }
    return tuple(
        replace(
            each,
            parameters={**each.parameters, **changes.get(each.name, {})},
            program='vla_accel_ros.graph.joint_inference' if each.name == 'inference' else '',
        )
        for each in processes(deployment)
    )


def main() -> int:
    """Run episodes; print each and the share that succeeded; return 1 when the nodes fail."""
    from vla_accel_ros.graph.operator import GraphError, Operator
    from vla_accel_ros.ros.spin import StopSignal

    parser = arguments(__doc__)
    parser.add_argument(
        '--limit', type=float, default=15.0, help='seconds an episode may take (%(default)s)'
    )
    parser.add_argument('--out', type=Path, default=Path('out/joint_episodes'), help='folder')
    args = parser.parse_args()
    chosen = seeds.require('reporting', args.seed, args.episodes)
    args.out.mkdir(parents=True, exist_ok=True)
    space = (args.out / SPACE).resolve()
    write_whole(space, json.dumps(JOINT_STEPS.to_values()))
    deployment = Deployment(sim=True, checkpoint=args.checkpoint)
    listed = joint_processes(deployment, space)
    domain, holder = reserve_domain()
    variables = {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    stop = StopSignal()
    graph = RunningGraph(listed, deployment, args.out / 'logs', variables)

    def check() -> None:
        if stop:
            raise Ended(stop.signum)
        graph.check()

    known, rows = all_instructions(), []
    try:
        with closing(holder), stop, graph, closing(Operator(domain, check)) as operator:
            operator.until_active([each.name for each in listed], START_S)
            for number, seed in enumerate(chosen):
                words = known[seed % len(known)]
                episode = run_episode(operator, number, seed, words, args.limit, lambda *_: None)
                rows.append(episode.facts())
                print(line(episode, args.episodes, operator.recent, final=True), flush=True)
                write_whole(args.out / 'episodes.json', json.dumps(_summary(args, rows), indent=2))
    except (GraphError, ProcessDiedError) as error:
        print(f'joint_episodes: {error}', file=sys.stderr)
        return 1
    facts = _summary(args, rows)
    low, high = facts['interval']
    print(
        f'{facts["successes"]} of {len(rows)} succeed through the joint topics, Wilson '
        f'{low:.1%} to {high:.1%}'
    )
    return 0


def _summary(args: argparse.Namespace, rows: list[dict]) -> dict:
    won = sum(row['success'] for row in rows)
    return {
        'checkpoint': args.checkpoint,
        'limit_s': args.limit,
        'successes': won,
        'interval': list(wilson(won, len(rows))),
        'episodes': rows,
    }


if __name__ == '__main__':
    sys.exit(main())
