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
"""Many episodes over several processes; what comes out does not depend on how many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
import hashlib
import sys

from vla_accel_ros.acceleration import BASELINE, Method, apply_method, check_method, parse
from vla_accel_ros.cluster.workers import ClusterWorkers
from vla_accel_ros.engines import wish
from vla_accel_ros.engines.wish import WEIGHTS, EngineWish
from vla_accel_ros.environments.interface import EnvironmentKind
from vla_accel_ros.environments.tabletop import TabletopKind
from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.latency import Latency
from vla_accel_ros.stopping import Stopped, never
from vla_accel_ros.workers import WorkerLostError, Workers, asked_to_end

__all__ = ['TABLETOP', 'Job', 'Setup', 'Worker', 'WorkerLostError', 'plan', 'prepare', 'run']

TABLETOP = TabletopKind()


@dataclass(frozen=True)
class Job:
    """One episode to run.

    Attributes:
        method: How to run the policy.
        seed: Of the start.
        instruction: What to ask for.
        latency: Clock of the episode; None for the step clock.
    """

    method: Method
    seed: int
    instruction: str
    latency: Latency | None = None


@dataclass(frozen=True)
class Setup:
    """What every worker builds: a policy and an environment.

    Attributes:
        checkpoint: Folder of the policy.
        environment: Where it acts.
        device: As torch names it.
        image_size: Side of the camera images, pixels; the policy's own where None.
        max_steps: Steps after which an episode is cut off; the task's own where None.
        unnorm_key: Data set whose statistics hold; None where there is only one.
        engine: What runs the policy.
        engine_checked: Whether another process has compared the engine with eager.
    """

    checkpoint: str
    environment: EnvironmentKind = TABLETOP
    device: str = 'cpu'
    image_size: int | None = None
    max_steps: int | None = None
    unnorm_key: str | None = None
    engine: EngineWish = wish.EAGER
    engine_checked: bool = False


def plan(
    methods: Sequence[Method],
    seeds: range,
    instructions: tuple[str, ...],
    latencies: Sequence[Latency | None] = (),
) -> list[Job]:
    """Return all episodes: every method on the same seeds, instructions taking turns.

    The methods take turns too, so that an interrupted run has compared like with like.

    Args:
        methods: How to run the policy.
        seeds: One an episode.
        instructions: What to ask for.
        latencies: One a method; the step clock for all where empty.
    """
    clocks = list(latencies) or [None] * len(methods)
    return [
        Job(method, seed, instructions[seed % len(instructions)], clock)
        for seed in seeds
        for method, clock in zip(methods, clocks, strict=True)
    ]


class Worker:
    """A policy and an environment in one process.

    Args:
        setup: What to build.

    Attributes:
        setup: The same for other processes, with the engine that was chosen here.

    Raises:
        ValueError: When the checkpoint or the environment is no good, or they do not fit.
    """

    def __init__(self, setup: Setup) -> None:
        from vla_accel_ros.environments.registry import with_views
        from vla_accel_ros.models.engine_choice import aloud, use_engine
        from vla_accel_ros.models.policy import Policy
        from vla_accel_ros.models.serving import check_tool

        # One thread each: the order of a sum, and so the last bit of a logit, stays the same.
        self.policy = Policy.load(
            setup.checkpoint, device=setup.device, unnorm_key=setup.unnorm_key, threads=1
        )
        check_tool(self.policy)
        means = aloud(_say, check=not setup.engine_checked)
        in_use = use_engine(self.policy, setup.engine, means)
        chosen = setup.engine
        if not in_use.as_asked:
            chosen = EngineWish(in_use.name, WEIGHTS, chosen.engine_required)
        self.setup = replace(setup, engine=chosen, engine_checked=True)
        kind = with_views(setup.environment, self.policy.cameras)
        self.environment = kind.make(setup.image_size or self.policy.image_size, setup.max_steps)
        self.policy.warm_up()

    def check(self, jobs: Sequence[Job]) -> None:
        """Refuse what does not fit, before anything is run.

        Raises:
            ValueError: When a method does not fit the model, an instruction has words that its
                tokeniser does not know, or it cannot answer what the environment shows.
        """
        for method in {job.method.name: job.method for job in jobs}.values():
            check_method(method, self.policy)
        for instruction in dict.fromkeys(job.instruction for job in jobs):
            try:
                self.policy.tokens_of(instruction)
            except ValueError as error:
                raise ValueError(
                    f"{self.setup.checkpoint}, asked '{instruction}': {error} (--checkpoint "
                    'chooses another)'
                ) from error
        self.first_answer(jobs[0])

    def first_answer(self, job: Job) -> tuple[str, str]:
        """Return SHA-256 of an episode's first pictures, and of the unaccelerated answer to them.

        Machines on which these differ do not give the same episodes.
        """
        from vla_accel_ros.observations import Observation

        self.environment.reset(job.seed, job.instruction)
        view = self.environment.observe()
        seen = Observation(view.images, job.instruction, 1, view.proprio)
        # Another state over the same weights: what was run before has no say.
        policy = self.policy.sibling()
        apply_method(parse(BASELINE), policy)
        policy.reset()
        answer = policy.predict(seen)
        pictures = hashlib.sha256(b''.join(image.tobytes() for image in view.images))
        return pictures.hexdigest(), hashlib.sha256(answer.chunk_values.tobytes()).hexdigest()

    def run(self, job: Job, stop: Callable[[], bool] = never) -> EpisodeResult:
        """Run one episode.

        Raises:
            Stopped: When it was left, for `stop` said so.
        """
        from vla_accel_ros.evaluation.closed_loop import run_episode
        from vla_accel_ros.evaluation.driver import Driver

        method = job.method.at_step(self.environment.step_s)
        driver = Driver(self.policy, method, job.latency)
        return run_episode(driver, self.environment, job.seed, job.instruction, stop)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


_worker: Worker | None = None


def begin(setup: Setup) -> Worker:
    """Build the worker of this process."""
    global _worker
    _worker = Worker(setup)
    return _worker


def run_one(job: Job) -> EpisodeResult | None:
    """Run an episode in a process that has begun; None when it was asked to end meanwhile."""
    try:
        return _worker.run(job, asked_to_end)
    except Stopped:
        return None


def prepare(jobs: Sequence[Job], setup: Setup, workers: int = 1) -> Worker:
    """Build a worker in this process and check with it what is to be run.

    So what is wrong is said once, and not by each process.

    Raises:
        ValueError: When the number of workers is below 1, or something does not fit.
    """
    from vla_accel_ros.models.engine_choice import notice

    if workers < 1:
        raise ValueError(f'{workers} workers, expected at least 1')
    here = Worker(setup)
    here.check(jobs)
    if line := notice(here.policy.in_use):
        _say(line)
    return here


def run(
    jobs: Sequence[Job],
    setup: Setup,
    workers: int = 1,
    here: Worker | None = None,
    stop: Callable[[], bool] = never,
) -> Iterator[EpisodeResult]:
    """Run episodes; yield each one's result as it ends.

    Args:
        jobs: See `plan`.
        setup: What every worker builds.
        workers: Processes; 1 runs in this one.
        here: From `prepare`; made where None.
        stop: Asked meanwhile whether to end; episodes under way are left then.

    Raises:
        ValueError: When the number of workers is below 1, or something does not fit.
        WorkerLostError: When a process ended on its own.
    """
    here = here or prepare(jobs, setup, workers)
    if workers > 1 and len(jobs) > 1:
        count = min(workers, len(jobs))
        yield from share(jobs, Workers(count, begin, (here.setup,), stop), stop)
        return
    for job in jobs:
        try:
            result = here.run(job, stop)
        except Stopped:
            return
        yield result


def share(
    jobs: Sequence[Job], team: Workers | ClusterWorkers, stop: Callable[[], bool]
) -> Iterator[EpisodeResult]:
    """Run episodes by several workers; yield each one's result as it ends.

    Args:
        jobs: See `plan`.
        team: Of which each has begun by `begin`; it ends with the last episode.
        stop: See `run`.

    Raises:
        ValueError: When something does not fit.
        WorkerLostError: When a worker ended on its own, and there is no other.
    """
    with team as processes:
        waiting = {processes.submit(run_one, job) for job in jobs}
        while waiting:
            ended = processes.wait(waiting)
            if stop():
                ended |= processes.ask_to_end(waiting)
                waiting = set(ended)
            waiting -= ended
            for future in ended:
                result = future.result()
                if result is not None:
                    yield result
