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

from collections.abc import Iterator
from dataclasses import dataclass
import multiprocessing
import signal

from vla_accel_ros.evaluation.methods import METHODS
from vla_accel_ros.evaluation.metrics import EpisodeResult

CAMERAS = ('agent', 'wrist')


@dataclass(frozen=True)
class Job:
    """One episode to run.

    Attributes:
        method: Name of the method.
        seed: Of the start.
        instruction: What to ask for.
    """

    method: str
    seed: int
    instruction: str


def plan(methods: list[str], seeds: range, instructions: tuple[str, ...]) -> list[Job]:
    """Return all episodes: every method on the same seeds, instructions taking turns.

    The methods take turns too, so that an interrupted run has compared like with like.
    """
    return [
        Job(method, seed, instructions[seed % len(instructions)])
        for seed in seeds for method in methods
    ]


class _Worker:
    """A policy and a simulation in one process."""

    def __init__(
        self, checkpoint: str, device: str, image_size: int | None, max_steps: int | None,
    ) -> None:
        from vla_accel_ros.models.policy import Policy
        from vla_accel_ros.sim.env import TabletopEnv

        # One thread each: the order of a sum, and so the last bit of a logit, stays the same.
        self.policy = Policy.load(checkpoint, device=device, threads=1)
        if self.policy.cameras != len(CAMERAS):
            raise ValueError(
                f'the checkpoint wants {self.policy.cameras} cameras, the embedded arm has '
                f'{len(CAMERAS)}: {", ".join(CAMERAS)}')
        self.env = TabletopEnv(
            image_size=image_size or self.policy.image_size, cameras=CAMERAS,
            max_steps=max_steps)
        self.policy.warm_up()

    def run(self, job: Job) -> EpisodeResult:
        from vla_accel_ros.evaluation.closed_loop import run_episode

        return run_episode(
            self.policy, self.env, METHODS[job.method], job.seed, job.instruction)


_worker: _Worker | None = None


def _begin(*arguments) -> None:
    global _worker
    # Ctrl-C is the parent's business: it stops the pool and reports what was done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = _Worker(*arguments)


def _run(job: Job) -> EpisodeResult:
    return _worker.run(job)


def run(
    jobs: list[Job], checkpoint: str, workers: int = 1, device: str = 'cpu',
    image_size: int | None = None, max_steps: int | None = None,
) -> Iterator[EpisodeResult]:
    """Run episodes; yield each one's result, in the order of the jobs.

    Args:
        jobs: See `plan`.
        checkpoint: Folder of the policy.
        workers: Processes; 1 runs in this one.
        device: As torch names it.
        image_size: Side of the camera images, pixels; the policy's own where None.
        max_steps: Steps after which an episode is cut off; the task's own where None.

    Raises:
        ValueError: When the number of workers is below 1, or the checkpoint does not fit.
    """
    if workers < 1:
        raise ValueError(f'{workers} workers, expected at least 1')
    arguments = (str(checkpoint), device, image_size, max_steps)
    # Once here first: what is wrong with a checkpoint is said once, and not by each process.
    here = _Worker(*arguments)
    if workers == 1:
        for job in jobs:
            yield here.run(job)
        return
    context = multiprocessing.get_context('spawn')
    with context.Pool(min(workers, len(jobs)), _begin, arguments) as pool:
        yield from pool.imap(_run, jobs)
