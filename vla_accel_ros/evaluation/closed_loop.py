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

"""One episode: a policy in an environment, from cameras and instruction alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vla_accel_ros.environments.interface import Environment
from vla_accel_ros.evaluation.episode import EpisodeResult, jerk
from vla_accel_ros.evaluation.execution import Execution
from vla_accel_ros.evaluation.piloted import Piloted
from vla_accel_ros.evaluation.records import StepRecord
from vla_accel_ros.observations import Observation
from vla_accel_ros.stopping import Stopped, never

# Any positive stamp: the scheduler takes zero for a stamp like others, people for none.
_START_NS = 1_000_000_000


def run_episode(
    driver: Piloted,
    environment: Environment,
    seed: int,
    instruction: str,
    stop: Callable[[], bool] = never,
) -> EpisodeResult:
    """Run one episode.

    The scheduler is the one of the ROS graph. On the step clock the world waits for the policy,
    as in the papers, and what the model took is reported. With a latency model the world goes
    on: an action acts from when it is there, and until then the arm does what the scheduler's
    bridge says, or stands still. Images are rendered only for steps that ask the model, which
    changes nothing but the time: it is asked about these frames and sees no other.

    Args:
        driver: Who answers, method and clock.
        environment: With the policy's number of cameras; its step is the method's.
        seed: Of the start.
        instruction: What to ask for.
        stop: Asked before each step whether to leave the episode.

    Raises:
        Stopped: When it was.
        ValueError: When the environment's step is not the method's.
        RuntimeError: When on the step clock there is no action for a step.
    """
    step_s = driver.method.scheduler.policy_step_s
    if abs(step_s - environment.step_s) > 1e-6:
        raise ValueError(
            f'a policy step is {step_s} s, that of the environment {environment.step_s} s'
        )
    step_ns = round(step_s * 1e9)
    environment.reset(seed, instruction)
    driver.reset(instruction, seed)
    execution = Execution(step_ns, _START_NS)
    records: list[StepRecord] = []
    actions, positions = [], [environment.tool_position()]
    outcome = None
    while outcome is None or not outcome.done:
        if stop():
            raise Stopped
        now = _START_NS + len(records) * step_ns

        def observe(now: int = now) -> Observation:
            view = environment.observe()
            return Observation(view.images, instruction, now, view.proprio)

        record = driver.step(now, now, observe)
        if record.action is not None:
            execution.send(record.action, record.sent_ns)
        elif driver.latency is None:
            raise RuntimeError(f'no action at step {len(records)}: {record.reason}')
        action = execution.take()
        outcome = environment.step(action)
        records.append(record)
        actions.append(action)
        positions.append(environment.tool_position())
    return EpisodeResult(
        driver.method.name,
        seed,
        instruction,
        outcome.success,
        tuple(records),
        np.array(actions),
        jerk(positions, step_s),
        outcome.now,
    )
