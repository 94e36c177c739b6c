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
from dataclasses import dataclass, field, replace
from itertools import count, islice
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

STEP = 'sim_arm/step'
START_S, EPISODE_S, EVERY_S = 180.0, 15.0, 5.0
# Steps of the simulated clock in an episode and before it, how long a decision may take, and among
# how many of the newest it is looked for.
STEPS, ANSWERED, DECISION_S, RECENT = 300, 5, 5.0, 20


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
        simulated: Whether the clock is the simulation's, as fast as the graph keeps up. The arm
            draws roughly then: drawing finely is most of what a step costs.
        checkpoint: Which policy.
    """

    def __init__(self, simulated: bool, checkpoint: str) -> None:
        self.clock = 'simulated' if simulated else 'real'
        self.deployment = Deployment(sim=True, use_sim_time=simulated, checkpoint=checkpoint)
        self.processes = tuple(
            replace(each, parameters={**each.parameters, 'coarse': simulated})
            if each.name == 'sim_arm'
            else each
            for each in processes(self.deployment)
        )


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
                    _decided(operator, _stepped(operator, _step(operator)))
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
    """Draw the next steps while the last one is decided on: no camera waits for decisions."""
    first = last = _stepped(operator, _step(operator))
    drawn = _step(operator)
    for _ in range(STEPS):
        drawn, due = _step(operator), drawn
        at = _stepped(operator, due)
        tend()
        yield _decided(operator, last)
        last = at
    at = _stepped(operator, drawn)
    # A later decision says as much of the one before.
    yield _decided(operator, at)
    part.simulated_s += (at - first) / 1e9


def _step(operator: Operator):
    """Ask for a step of the clock; return a future."""
    return operator.send(Trigger, STEP, Trigger.Request())


def _stepped(operator: Operator, asked) -> int:
    """Wait for a step, and return its time, ns."""
    return json.loads(operator.granted(STEP, asked))['time_ns']


def _decided(operator: Operator, stamp_ns: int) -> bool:
    """Wait until a step is decided on; return whether it was."""

    def decided() -> bool:
        # An answer is decided on under the stamp of its own, older frame, and may come last.
        newest = islice(reversed(operator.record.decisions), RECENT)
        return any(int(each['stamp_ns']) >= stamp_ns for each in newest)

    try:
        return operator.until(decided, 'a decision', DECISION_S)
    except GraphError:
        return False


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
