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

"""The scheduler and the speed controller together: what a robot and an evaluation both run."""

from __future__ import annotations

from collections.abc import Mapping

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.motion import Motion
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.controller import Controller
from vla_accel_ros.scheduling.decision import Decision
from vla_accel_ros.scheduling.scheduler import Scheduler


class Pilot:
    """Decide every step of the policy; the scheduler node and the closed loop hold one each.

    The scheduler decides. The controller sees the speed of each action that is sent. When the
    arm slows down to fine work while a chunk is running, the VLA is asked afresh with the next
    frame (SpecPrune-VLA), if `replan_on_fine` says so.

    Args:
        config: Settings of both; the defaults where None.
        space: What the columns of the policy's actions are.
    """

    def __init__(
        self, config: SchedulerConfig | None = None, space: ActionSpace = END_EFFECTOR
    ) -> None:
        self._scheduler = Scheduler(config, space)
        self._controller = Controller(self.config.fine_linear, self.config.fine_angular)

    @property
    def config(self) -> SchedulerConfig:
        """The settings in force."""
        return self._scheduler.config

    @property
    def instruction(self) -> str:
        """The instruction in force, empty before the first."""
        return self._scheduler.instruction

    @property
    def counters(self) -> Mapping[str, int]:
        """How often each kind of decision and event came, by name; see `Scheduler.counters`."""
        return self._scheduler.counters

    def configure(self, config: SchedulerConfig) -> None:
        """Change the settings between two steps; what is known of the past stays."""
        self._scheduler.configure(config)
        self._controller.configure(config.fine_linear, config.fine_angular)

    def set_instruction(self, text: str) -> bool:
        """Change what to do, blanks around it aside; another instruction forgets the past.

        Returns:
            Whether it differs from the one in force; the same again changes nothing.
        """
        changed = self._scheduler.set_instruction(text.strip())
        if changed:
            self._controller.reset()
        return changed

    def reset(self) -> None:
        """Begin an episode, keeping the instruction: answers under way will be discarded."""
        self._scheduler.reset()
        self._controller.reset()

    def on_frame(self, stamp_ns: int, now_ns: int) -> Decision:
        """Decide on a frame.

        Args:
            stamp_ns: Its capture stamp, nanoseconds.
            now_ns: Monotonic time, nanoseconds.
        """
        return self._watched(self._scheduler.on_frame(stamp_ns, now_ns))

    def on_answer(self, chunk: ActionChunk, now_ns: int, accepted: float = 0) -> Decision:
        """Take an answer of the VLA, or discard it with a reason.

        Args:
            chunk: The answer; its stamp says which request it answers.
            now_ns: Monotonic time, nanoseconds.
            accepted: Tokens of the draft that the VLA confirmed. A draft is one action, a token
                a column: with all of them confirmed the answer counts as verified.
        """
        verified = accepted >= chunk.values.shape[1]
        return self._watched(self._scheduler.on_answer(chunk, now_ns, verified))

    def _watched(self, decision: Decision) -> Decision:
        """Show the controller the action that is sent, and replan where work became fine."""
        action = decision.action
        if action is not None:
            step_s = self.config.policy_step_s
            motion = Motion.from_action(action.values, step_s, action.space)
            if motion is None:
                # Joints alone: the fastest one counts, and nothing is known of rising.
                self._controller.see(decision.speed, decision.angular_speed)
            else:
                self._controller.update(motion)
            if self.config.replan_on_fine and self._controller.became_fine and decision.queued:
                self._scheduler.replan()
        return decision
