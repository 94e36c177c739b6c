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

"""The graph at work for as long as is asked: episode after episode, on either clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
import json
from pathlib import Path
import sys
import tempfile
import time

from std_srvs.srv import Trigger

from benchmarks.soak_processes import Held, held
from vla_accel_ros.graph.demo_graph import RunningGraph, reserve_domain
from vla_accel_ros.graph.operator import GraphError, Operator
from vla_accel_ros.graph.processes import Deployment, processes
from vla_accel_ros.sim.tasks import all_instructions

START_S, EPISODE_S, EVERY_S = 180.0, 15.0, 5.0
# Steps of the simulated clock in an episode and before it, and how long a decision may take.
STEPS, ANSWERED, DECISION_S = 300, 5, 5.0


@dataclass
class Turn:
    """One episode.

    Attributes:
        at_s: When it ended, seconds since the graph was active.
        seconds: What it took; on the simulated clock of wall time.
        decisions: How many.
        twists: How many reached the arm.
        age_ms: Of each decision, capture to decision; of the real clock.
        model_ms: Of each call of the model.
        missed: Steps of the simulated clock without a decision.
    """

    at_s: float
    seconds: float
    decisions: int
    twists: int
    age_ms: list[float] = field(default_factory=list)
    model_ms: list[float] = field(default_factory=list)
    missed: int = 0


@dataclass
class Part:
    """What one run of the graph has shown.

    Attributes:
        clock: `real` or `simulated`.
        seconds: Wall time, since the graph was active.
        simulated_s: Time of the simulated clock, seconds; 0 on the real one.
        at_s: When processes were looked at, seconds.
        held: What they held then, by name.
        turns: The episodes.
        troubles: What the operator could not get done, a line each.
    """

    clock: str
    seconds: float = 0.0
    simulated_s: float = 0.0
    at_s: list[float] = field(default_factory=list)
    held: dict[str, list[Held]] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def look(self, at_s: float, found: dict[str, Held]) -> None:
        """Take note of what the processes hold."""
        self.at_s.append(at_s)
        for name, each in found.items():
            self.held.setdefault(name, []).append(each)


class Graph:
    """What is run.

    Args:
        simulated: Whether the clock is the simulation's, as fast as the graph keeps up.
        checkpoint: Which policy.
    """

    def __init__(self, simulated: bool, checkpoint: str) -> None:
        self.clock = 'simulated' if simulated else 'real'
        self.deployment = Deployment(sim=True, use_sim_time=simulated, checkpoint=checkpoint)
        self.processes = processes(self.deployment)


def run(graph: Graph, enough: Callable[[Part], bool]) -> Part:
    """Run the graph until it is enough.

    Args:
        graph: What.
        enough: Asked between episodes.

    Raises:
        ProcessDiedError: When a process ends by itself.
        GraphError: When the nodes do not become active.
    """
    listed, part = graph.processes, Part(graph.clock)
    domain, holder = reserve_domain()
    variables = {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    with closing(holder), tempfile.TemporaryDirectory() as logs:
        with RunningGraph(listed, graph.deployment, Path(logs), variables) as running:
            operator = Operator(domain, running.check)
            with closing(operator):
                operator.until_active(tuple(each.name for each in listed), START_S)
                _go_on(part, operator, running, enough)
    return part


def _go_on(
    part: Part, operator: Operator, graph: RunningGraph, enough: Callable[[Part], bool]
) -> None:
    begun, known, looked = time.monotonic(), all_instructions('lift'), -EVERY_S

    def tend() -> float:
        nonlocal looked
        part.seconds = time.monotonic() - begun
        if part.seconds - looked >= EVERY_S:
            looked = part.seconds
            part.look(part.seconds, held(graph.pids()))
        return part.seconds

    episode = _simulated if part.clock == 'simulated' else _real
    for number in count():
        try:
            instruction = known[number % len(known)]
            operator.instruct('')
            operator.reset(number, instruction)
            operator.begin()
            operator.instruct(instruction)
            if part.clock == 'simulated':
                # Without a picture nobody answers, and nothing is enabled.
                for _ in range(ANSWERED):
                    _step(operator)
            operator.enable()
            started = time.monotonic()
            missed = sum(not shown for shown in episode(part, operator, tend))
            part.turns.append(_turn(operator, tend(), time.monotonic() - started, missed))
            operator.stop()
        except GraphError as error:
            part.troubles.append(f'{tend():.0f} s: {error}')
        if number % 4 == 3:
            last = part.turns[-1] if part.turns else None
            said = f'{last.decisions / last.seconds:.1f} decisions/s' if last else 'no episode'
            print(
                f'{part.clock}: {part.seconds / 60:.1f} min, {part.simulated_s / 3600:.2f} '
                f'simulated h, {said}, {len(part.troubles)} troubles',
                file=sys.stderr,
                flush=True,
            )
        if enough(part):
            return


def _real(_part: Part, operator: Operator, tend: Callable[[], float]) -> Iterator[bool]:
    end = time.monotonic() + EPISODE_S
    while (now := time.monotonic()) < end:
        operator.until(lambda at=now + 1.0: time.monotonic() >= at, 'time passes', 60.0)
        tend()
        yield True


def _simulated(part: Part, operator: Operator, tend: Callable[[], float]) -> Iterator[bool]:
    first, at, shown = None, 0, True
    for _ in range(STEPS):
        at, shown = _step(operator)
        first = at if first is None else first
        tend()
        yield shown
    part.simulated_s += (at - first) / 1e9


def _step(operator: Operator) -> tuple[int, bool]:
    """Step the clock, and wait until it is decided on; return its time, ns, and whether it was."""
    at = json.loads(operator.call(Trigger, 'sim_arm/step', Trigger.Request()))['time_ns']
    try:
        operator.until(lambda: _decided(operator, at), 'a decision', DECISION_S)
    except GraphError:
        return at, False
    return at, True


def _decided(operator: Operator, stamp_ns: int) -> bool:
    # An answer is decided on under the stamp of its own, older frame, and may come last.
    return any(int(each['stamp_ns']) >= stamp_ns for each in reversed(operator.record.decisions))


def _turn(operator: Operator, at_s: float, seconds: float, missed: int) -> Turn:
    record = operator.record
    return Turn(
        at_s,
        seconds,
        len(record.decisions),
        len(record.twists),
        record.values('age_ms').tolist(),
        record.values('model_ms').tolist(),
        missed,
    )
