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

"""A pilot, one step at a time, and whoever answers when it asks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vla_accel_ros.acceleration import Method
from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.evaluation.latency import Latency
from vla_accel_ros.evaluation.records import Call, StepRecord
from vla_accel_ros.observations import Observation
from vla_accel_ros.scheduling.decision import Kind, Request
from vla_accel_ros.scheduling.pilot import Pilot


class Piloted(ABC):
    """Steps of the scheduler's pilot, as the node takes them; subclasses say who answers.

    Time is what the caller says it is. Without a latency model an answer is there at once, with
    the frame that it answers (the papers' step clock). With one it arrives that much later,
    meanwhile the frames go on, and the scheduler bridges, discards and asks again as it does in
    the ROS graph.

    Args:
        method: How to schedule.
        latency: None for the step clock.
        space: What the columns of actions are.
    """

    def __init__(
        self, method: Method, latency: Latency | None = None, space: ActionSpace = END_EFFECTOR
    ) -> None:
        self.method, self.latency, self._space = method, latency, space
        self._step_s = method.scheduler.policy_step_s
        self._step_ns = round(self._step_s * 1e9)
        self._begin()

    @abstractmethod
    def answer(
        self, request: Request, observe: Callable[[], Observation]
    ) -> tuple[np.ndarray, Call]:
        """Return a chunk, float64 [rows, width], and what it took, without the latency.

        Args:
            request: What the pilot asks for.
            observe: Gives what is to be seen.
        """

    def _begin(self) -> None:
        self._pilot = Pilot(self.method.scheduler, self._space)
        # Chunks under way, how many tokens of their drafts were confirmed, when they arrive.
        self._under_way: deque[tuple[ActionChunk, int, int]] = deque()
        # One answer is computed at a time, as the inference node does.
        self._busy_until_ns = 0

    @property
    def pilot(self) -> Pilot:
        """The pilot of this episode, for its counters."""
        return self._pilot

    def reset(self, instruction: str, seed: int = 0) -> None:
        """Begin an episode.

        Args:
            instruction: What to do.
            seed: Of the latencies, where they are drawn.
        """
        self._begin()
        if self.latency is not None:
            self.latency.begin(seed)
        self.instruct(instruction)

    def instruct(self, instruction: str) -> None:
        """Change what to do in mid-episode; the past of another instruction is forgotten."""
        self._pilot.set_instruction(instruction)

    def step(
        self,
        stamp_ns: int,
        now_ns: int,
        observe: Callable[[], Observation],
        until_ns: int | None = None,
    ) -> StepRecord:
        """Decide on a frame, and on the answers that arrive before the next one.

        Args:
            stamp_ns: The frame's capture stamp, nanoseconds.
            now_ns: When it is there, monotonic nanoseconds.
            observe: Gives what is to be seen; called only if somebody is asked.
            until_ns: When the next frame is there; a policy step later where None.

        Returns:
            What became of it. At most one action is sent for a step.

        Raises:
            ValueError: When what is observed does not fit who answers.
        """
        until_ns = now_ns + self._step_ns if until_ns is None else until_ns
        decision = self._pilot.on_frame(stamp_ns, now_ns)
        call, sent_ns, discarded = None, now_ns, None
        if decision.request is not None:
            call = self._ask(decision.request, now_ns, observe)
        while self._under_way and self._under_way[0][2] < until_ns:
            chunk, accepted, arrival_ns = self._under_way.popleft()
            on_answer = self._pilot.on_answer(chunk, arrival_ns, accepted)
            if on_answer.kind is Kind.DISCARDED:
                discarded = on_answer.reason
            elif on_answer.action is not None:
                decision, sent_ns = on_answer, arrival_ns
        action, kind = decision.action, decision.kind
        if kind is Kind.DELIBERATIVE and action is None:
            # Asked, and not answered within the step.
            kind = Kind.WAITING
        return StepRecord(
            stamp_ns,
            kind.value,
            decision.reason,
            decision.speed,
            decision.angular_speed,
            decision.queued,
            call=call,
            discarded=discarded,
            action=None if action is None else action.values,
            source=None if action is None else action.source.value,
            sent_ns=None if action is None else sent_ns,
        )

    def _ask(self, request: Request, now_ns: int, observe: Callable[[], Observation]) -> Call:
        values, call = self.answer(request, observe)
        arrival_ns = now_ns
        if self.latency is not None:
            took_ns = round(self.latency.ms(call.model_ms) * 1e6)
            arrival_ns = self._busy_until_ns = max(now_ns, self._busy_until_ns) + took_ns
        chunk = ActionChunk(values, request.stamp_ns, space=self._space)
        self._under_way.append((chunk, call.accepted, arrival_ns))
        return replace(call, latency_ms=(arrival_ns - now_ns) / 1e6)
