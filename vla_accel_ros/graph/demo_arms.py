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

"""Several embedded arms on one inference node: its processes, and their episodes side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
import threading
import time

from vla_accel_ros.graph.demo_episode import ANSWER_S, START_S, run_episode
from vla_accel_ros.graph.demo_graph import RunningGraph, looking, reserve_domain
from vla_accel_ros.graph.demo_report import DemoEpisode, line
from vla_accel_ros.graph.processes import Deployment, Process, overridden, processes

MOST_ARMS = 8


@dataclass(frozen=True)
class Part:
    """Processes of one namespace.

    Attributes:
        deployment: Theirs.
        processes: The processes.
    """

    deployment: Deployment
    processes: tuple[Process, ...]


@dataclass(frozen=True)
class Plan:
    """What one arm does.

    Attributes:
        name: The arm, its namespace.
        seed: Of its first episode's table; each next one has the next.
        instructions: One an episode.
    """

    name: str
    seed: int
    instructions: tuple[str, ...]


def plans(arms: int, episodes: int, seed: int, instructions: Sequence[str]) -> list[Plan]:
    """Say what each arm does: instructions in turn, so that arms have different ones.

    Args:
        arms: How many.
        episodes: Of each arm.
        seed: Of the first arm's first table.
        instructions: Those to choose from.
    """
    return [
        Plan(
            f'arm{arm + 1}',
            seed + arm * episodes,
            tuple(
                instructions[(arm + episode * arms) % len(instructions)]
                for episode in range(episodes)
            ),
        )
        for arm in range(arms)
    ]


def parts(deployment: Deployment, names: Sequence[str]) -> list[Part]:
    """Return what to start: one inference node, and every other node for each arm.

    Args:
        deployment: Of all of them, in no namespace.
        names: Namespaces of the arms.

    Raises:
        ValueError: When parameter file or preset say what the nodes do not take.
    """
    shared, found = [], []
    for name in names:
        own = replace(deployment, namespace=name)
        listed = processes(own)
        shared = [each for each in listed if each.name == 'inference']
        found.append(Part(own, tuple(each for each in listed if each.name != 'inference')))
    (inference,) = shared
    serving = replace(inference, parameters={**inference.parameters, 'arms': list(names)})
    return [Part(deployment, (serving,)), *found]


def run_arms(
    deployment: Deployment,
    planned: Sequence[Plan],
    logs: Path,
    limit_s: float,
    show: Callable[..., object],
) -> dict[str, list[DemoEpisode]]:
    """Run the episodes of all arms at the same time.

    Args:
        deployment: Of all nodes, in no namespace.
        planned: What each arm does.
        logs: Folder for a folder of logs each.
        limit_s: An episode that takes longer has failed, seconds.
        show: Prints a line.

    Returns:
        The episodes by arm.

    Raises:
        GraphError: When a node does not do what it is asked to.
        ProcessDiedError: When a process has ended.
        Ended: When a signal asks for the end.
    """
    from vla_accel_ros.graph.operator import Operator
    from vla_accel_ros.ros.spin import StopSignal
    from vla_accel_ros.stopping import Ended

    def check() -> None:
        if stop:
            raise Ended(stop.signum)
        if given_up.is_set():
            raise GivenUpError('another arm has given up')
        for graph in graphs:
            graph.check()

    listed = parts(deployment, [plan.name for plan in planned])
    # Nodes that share the processors come up, and answer, the later the more there are.
    patience = 1.0 + len(planned) / 2
    given_up = threading.Event()
    domain, holder = reserve_domain()
    variables = {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    nodes = ', '.join(each.name for each in listed[1].processes)
    for part in listed:
        for told in overridden(part.processes, part.deployment):
            show(told)
    show(
        f'starting one inference node and, for each of {len(planned)} arms, {nodes}, on ROS '
        f'domain {domain}; logs in {logs}'
    )
    show(looking(domain, planned[0].name))
    begun, stop = time.monotonic(), StopSignal()
    graphs: list[RunningGraph] = []
    with ExitStack() as stack:
        stack.callback(holder.close)
        stack.enter_context(stop)
        for part in listed:
            folder = logs / part.deployment.namespace
            graph = RunningGraph(part.processes, part.deployment, folder, variables)
            graphs.append(stack.enter_context(graph))
        operators = []
        for part in listed[1:]:
            operator = Operator(domain, check, part.deployment.namespace)
            stack.callback(operator.close)
            operators.append(operator)
        names = [tuple(each.name for each in part.processes) for part in listed[1:]]

        def drive(arm: int) -> list[DemoEpisode]:
            try:
                return _drive(
                    operators[arm],
                    (*names[arm], 'inference'),
                    planned[arm],
                    limit_s,
                    patience,
                    show,
                )
            except BaseException:
                given_up.set()
                raise

        with ThreadPoolExecutor(len(planned)) as pool:
            futures = [pool.submit(drive, arm) for arm in range(len(planned))]
        show(f'all arms are done after {time.monotonic() - begun:.1f} s')
        errors = [error for each in futures if (error := each.exception()) is not None]
        # Who gave up because another one did says less than that one.
        for error in sorted(errors, key=lambda each: isinstance(each, GivenUpError)):
            raise error
    return {plan.name: each.result() for plan, each in zip(planned, futures, strict=True)}


class GivenUpError(RuntimeError):
    """Another arm's episodes cannot go on."""


def _drive(
    operator, nodes: tuple[str, ...], plan: Plan, limit_s: float, patience: float, show
) -> list[DemoEpisode]:
    """Run the episodes of one arm."""
    operator.until_active(nodes, START_S * patience)
    show(f'{plan.name}: all nodes are active\n', end='', flush=True)
    count, shown = len(plan.instructions), 0.0

    def tell(episode: DemoEpisode, final: bool) -> None:
        nonlocal shown
        now = time.monotonic()
        if final or now - shown > 1.0:
            shown = now
            said = line(episode, count, operator.recent, final).rstrip()
            # With its end in one piece: the other arms' threads show theirs at the same time.
            show(f'{plan.name} {said}\n', end='', flush=True)

    return [
        run_episode(
            operator, number, plan.seed + number, words, limit_s, tell, ANSWER_S * patience
        )
        for number, words in enumerate(plan.instructions)
    ]


def arms_summary(
    found: dict[str, list[DemoEpisode]], checkpoint: str, min_success: int, moved_m: float
) -> dict:
    """Return all that is known of the run.

    Args:
        found: The episodes by arm.
        checkpoint: What drove the arms.
        min_success: How many episodes of all arms have to succeed.
        moved_m: How far each tool has to get from its start in each episode, m.
    """
    rows = [
        {'arm': arm, **episode.facts()} for arm, episodes in found.items() for episode in episodes
    ]
    successes = sum(row['success'] for row in rows)
    moved = all(row['moved_m'] >= moved_m for row in rows)
    return {
        'checkpoint': checkpoint,
        'arms': list(found),
        'episodes': rows,
        'successes': successes,
        'arm_moved_in_each': moved,
        'ok': bool(rows and moved and successes >= min_success),
    }


def arms_table(facts: dict) -> str:
    """Return the summary as a text, a line an arm and episode."""
    lines = [
        '',
        f'{"arm":<6} {"instruction":<46} {"":<8} {"s":>5} {"steps":>6} {"calls":>6} {"Hz":>5} '
        f'{"VLA ms p50/p95":>15}',
    ]
    for row in facts['episodes']:
        vla = row['vla_ms']
        took = f'{vla["p50"]:.0f} / {vla["p95"]:.0f}' if vla else '-'
        lines.append(
            f'{row["arm"]:<6} {row["instruction"]:<46} '
            f'{"done" if row["success"] else "not done":<8} {row["seconds"]:>5.1f} '
            f'{row["actions"]:>6} {row["vla_answers"]:>6} {row["actions_hz"]:>5} {took:>15}'
        )
    moved = 'moved in each' if facts['arm_moved_in_each'] else 'did NOT all move'
    lines += [
        '',
        f'{facts["successes"]} of {len(facts["episodes"])} done by {facts["checkpoint"]} on '
        f'{len(facts["arms"])} arms and one inference node; the arms {moved}',
    ]
    return '\n'.join(lines)
