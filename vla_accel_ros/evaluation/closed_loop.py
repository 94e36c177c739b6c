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

"""One episode on the step clock: the world waits for the policy, as in the papers."""

from __future__ import annotations

from collections import Counter

import numpy as np

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.evaluation.methods import Method
from vla_accel_ros.evaluation.metrics import EpisodeResult
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.scheduling.decision import Kind
from vla_accel_ros.scheduling.scheduler import Scheduler
from vla_accel_ros.sim.env import TabletopEnv

# Any positive stamp: the scheduler takes zero for a stamp like others, people for none.
_START_NS = 1_000_000_000


def run_episode(
    policy: Policy, env: TabletopEnv, method: Method, seed: int, instruction: str,
) -> EpisodeResult:
    """Run one episode from cameras and instruction alone.

    The scheduler is the one of the ROS graph. On the step clock an answer arrives within the
    step of its frame, whatever it took; what it took is what is reported as model time.
    Images are rendered only for steps that ask the model, which changes nothing but the time.

    Args:
        policy: The policy.
        env: With the policy's number of cameras.
        method: How to run it.
        seed: Of the start.
        instruction: What to ask for.
    """
    cameras, env.cameras = env.cameras, ()
    try:
        env.reset(seed=seed, options={'task': instruction})
        scheduler = Scheduler(method.scheduler)
        scheduler.set_instruction(instruction)
        step_ns = round(method.scheduler.policy_step_s * 1e9)
        call_ms: list[float] = []
        kinds: Counter[Kind] = Counter()
        steps, success, over = 0, False, False
        while not over:
            now = _START_NS + steps * step_ns
            decision = scheduler.on_frame(now, now)
            if decision.request is not None:
                images = tuple(env.render_camera(name) for name in cameras)
                answer = policy.predict(Observation(images, instruction, now, env.proprio()))
                call_ms.append(answer.timings_ms['total'])
                answered = scheduler.on_answer(ActionChunk(answer.chunk_values, now), now)
                # A chunk that is renewed before it ends has an action for this step already.
                decision = answered if decision.action is None else decision
            if decision.action is None:
                raise RuntimeError(f'no action at step {steps}: {decision.reason}')
            kinds[decision.kind] += 1
            values = np.array(decision.action.values)
            _, _, done, cut, info = env.step(values)
            steps += 1
            success, over = bool(info['success']), done or cut
    finally:
        env.cameras = cameras
    decisions = {kind.value: count for kind, count in kinds.items()}
    return EpisodeResult(
        method.name, seed, instruction, success, steps, tuple(call_ms), decisions)
