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

"""A policy that is driven by a pilot, wherever observations come from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vla_accel_ros.acceleration import Method, apply_method
from vla_accel_ros.evaluation.latency import Latency
from vla_accel_ros.evaluation.piloted import Piloted
from vla_accel_ros.evaluation.records import Call
from vla_accel_ros.models.cost.stages import CostModel
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.serving import serve
from vla_accel_ros.observations import Observation
from vla_accel_ros.scheduling.decision import Request


class Driver(Piloted):
    """Run a policy by a method, as the nodes scheduler and inference do together.

    The pilot that decides is the node's, and so is the way in which a method is applied. As
    there, the model looks at the frames that it is asked about and at no other.

    Args:
        policy: The policy; set up by the method, from the next `reset` on.
        method: How to run it.
        latency: None for the step clock.
    """

    def __init__(self, policy: Policy, method: Method, latency: Latency | None = None) -> None:
        super().__init__(method, latency, policy.space)
        self.policy = policy
        self._cost, self._counted = CostModel(policy.config), {}

    def reset(self, instruction: str, seed: int = 0) -> None:
        """Begin an episode, see `Piloted.reset`.

        Raises:
            ValueError: When the method does not fit the model.
        """
        apply_method(self.method, self.policy)
        self.policy.reset()
        super().reset(instruction, seed)

    def answer(
        self, request: Request, observe: Callable[[], Observation]
    ) -> tuple[np.ndarray, Call]:
        """Have the model answer, see `Piloted.answer`."""
        answer = serve(self.policy, request, observe(), self._step_s)
        return answer.chunk_values, Call(
            answer.timings_ms['total'],
            0.0,
            answer.kept,
            answer.kept_ids,
            answer.kept / self.policy.config.visual_tokens,
            answer.pruning,
            answer.passes,
            answer.accepted,
            self._flops(answer.work),
            request.stamp_ns,
            answer.work.steps,
        )

    def _flops(self, work: Workload) -> float:
        # The same few inferences come again and again; counting a deep decoder takes a while.
        key = repr(work)
        if key not in self._counted:
            self._counted[key] = self._cost.total(work).flops
        return self._counted[key]
