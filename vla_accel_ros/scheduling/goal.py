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

"""A goal: one instruction, carried out from start to end, with the arm enabled only meanwhile.

Ours. The states have the names of `action_msgs/GoalStatus`. A goal is *accepted* while
it waits for what keeps the arm from being enabled, *executing* while the arm follows it, and ends
as *succeeded*, *canceled* or *aborted*. At most one is open. However it ends, no action goes out
until the arm has confirmed that it is disabled, so a lost message cannot keep it moving.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from vla_accel_ros.scheduling.goal_config import GoalConfig

NS = 1_000_000_000
# arm_command reports once a second and at each change.
ARM_SILENT_S = 3.0
# Between two questions to arm_command, and until one counts as lost.
AGAIN_S, LOST_S = 0.5, 3.0
RATE_WINDOW_S = 2.0
# How the reason of a stop or a fault begins, which only enabling leaves.
HALTED = ('stopped', 'fault')


class Status(Enum):
    """What has become of a goal, by the names of `action_msgs/GoalStatus`."""

    UNKNOWN = 'unknown'
    ACCEPTED = 'accepted'
    EXECUTING = 'executing'
    SUCCEEDED = 'succeeded'
    CANCELED = 'canceled'
    ABORTED = 'aborted'


OPEN = (Status.ACCEPTED, Status.EXECUTING)


@dataclass(frozen=True)
class Arm:
    """What arm_command last reported.

    Attributes:
        enabled: Whether it lets the arm move.
        reason: Its state in words, such as `stopped: stop_requested`.
        heard_ns: When it was heard, monotonic nanoseconds.
        stops: How often it was stopped so far, also while it was stopped already.
    """

    enabled: bool
    reason: str
    heard_ns: int
    stops: str = ''


@dataclass(frozen=True)
class Ask:
    """A question to arm_command.

    Attributes:
        enable: Whether to enable or to disable.
        ticket: To be given back with the answer.
    """

    enable: bool
    ticket: int


class Goal:
    """The state machine of goals; all times are monotonic nanoseconds.

    `poll` is to be called often and after each event: it says what to ask arm_command. Questions
    have to reach it in their order.

    Args:
        config: What ends a goal.
    """

    def __init__(self, config: GoalConfig | None = None) -> None:
        self._config = config or GoalConfig()
        self._arm: Arm | None = None
        self._number = self._tickets = 0
        self._asked: tuple[Ask, int] | None = None
        self._next_ask_ns = 0
        # Questions to disable with a ticket from this on are about the goal that has ended.
        self._end_ticket: int | None = None
        self.status, self.reason, self.instruction = Status.UNKNOWN, 'no goal yet', ''
        self._clear(0)

    def _clear(self, now_ns: int) -> None:
        self._begun_ns = self._action_ns = self._over_ns = now_ns
        self._alive_ns: int | None = None
        self._seen_enabled = False
        self._released = ('', '')
        self._sent_ns: deque[int] = deque(maxlen=1000)
        self.steps = 0

    def configure(self, config: GoalConfig) -> None:
        """Change what ends a goal, also of the open one."""
        self._config = config

    @property
    def open(self) -> bool:
        """Whether a goal is accepted or executing."""
        return self.status in OPEN

    @property
    def name(self) -> str:
        """Name of the newest goal: the number of goals since the start; empty before the first."""
        return str(self._number) if self._number else ''

    # -- what the client says --------------------------------------------------------------------

    def start(self, instruction: str, now_ns: int) -> str:
        """Accept a goal.

        Args:
            instruction: What to do, in words.
            now_ns: Now.

        Returns:
            Its name.

        Raises:
            ValueError: When it is refused; says why. An open goal goes on undisturbed.
        """
        if self.open:
            raise ValueError(
                f'goal {self.name} ({self.instruction!r}) is {self.status.value}: '
                'expected no open goal, cancel it first'
            )
        if not instruction:
            raise ValueError(
                'there is no instruction: publish one on vla/instruction or set the parameter'
            )
        if self._end_ticket is not None:
            raise ValueError('arm_command has not yet confirmed that the arm is disabled')
        arm = self._arm
        if arm is None or self._arm_silent(now_ns):
            raise ValueError('arm_command does not report on /diagnostics: is it running?')
        if arm.enabled:
            raise ValueError('the arm is enabled already: disable it, a goal enables it itself')
        self._number += 1
        self._clear(now_ns)
        self._next_ask_ns = now_ns
        # A goal that is started on a stopped arm releases that stop, and no other one.
        self._released = arm.reason, arm.stops
        self.instruction = instruction
        self.status, self.reason = Status.ACCEPTED, 'preparing'
        return self.name

    def cancel(self, reason: str, now_ns: int) -> bool:
        """End the open goal as canceled; return whether there was one."""
        return self._end(Status.CANCELED, reason, now_ns)

    def judge(self, success: bool, by: str, now_ns: int) -> bool:
        """End the executing goal as succeeded or aborted; return whether there was one."""
        if self.status is not Status.EXECUTING:
            return False
        return self._end(Status.SUCCEEDED if success else Status.ABORTED, by, now_ns)

    def alive(self, name: str, now_ns: int) -> None:
        """Take a sign of life of the goal's client; those of other goals do not count."""
        if self.open and name == self.name:
            self._alive_ns = now_ns

    # -- what the arm says -----------------------------------------------------------------------

    def on_arm(self, enabled: bool, reason: str, now_ns: int, stops: str = '') -> None:
        """Take a report of arm_command; see `Arm`."""
        self._arm = Arm(enabled, reason, now_ns, stops)
        if self.status is Status.EXECUTING:
            if enabled:
                self._seen_enabled = True
            elif self._seen_enabled:
                self._end(Status.ABORTED, f'arm_stopped: {reason}', now_ns)
        elif self.status is Status.ACCEPTED and reason.startswith(HALTED):
            # Enabling would leave a stop that nobody has released.
            if (reason, stops) != self._released:
                self._end(Status.ABORTED, f'arm_stopped: {reason}', now_ns)

    def on_answer(self, ticket: int, success: bool, message: str, now_ns: int) -> bool:
        """Take the answer to a question; return whether the goal begins to execute."""
        if self._asked is None or self._asked[0].ticket != ticket:
            return False
        ask, self._asked = self._asked[0], None
        self._next_ask_ns = now_ns + round(AGAIN_S * NS)
        if not ask.enable:
            if success and self._end_ticket is not None and ticket >= self._end_ticket:
                self._end_ticket = None
            return False
        if self.status is not Status.ACCEPTED:
            return False
        if not success:
            self.reason = f'not_enabled: {message}'
            return False
        self.status, self.reason = Status.EXECUTING, 'executing'
        self._begun_ns = self._action_ns = now_ns
        # The arm's report may come before its answer.
        self._seen_enabled = self._arm is not None and self._arm.enabled
        return True

    # -- what goes out ---------------------------------------------------------------------------

    def permits(self, now_ns: int) -> bool:
        """Say whether an action may go out now, and count it when it may."""
        if self.status is Status.EXECUTING:
            if self._config.step_limit and self.steps >= self._config.step_limit:
                self._end(Status.ABORTED, f'step_limit: {self.steps} actions', now_ns)
                return False
            self.steps += 1
            self._action_ns = now_ns
            self._sent_ns.append(now_ns)
            return True
        if self._end_ticket is not None:
            return False
        if self._config.required or self.status is Status.ACCEPTED:
            # An arm that is disabled has to see actions, to judge whether they fit it.
            arm = self._arm
            return arm is not None and not arm.enabled and not self._arm_silent(now_ns)
        return True

    def poll(self, now_ns: int, standing: Mapping[str, str]) -> Ask | None:
        """End what has to end, and say what to ask arm_command.

        Args:
            now_ns: Now.
            standing: What stands against a goal, by name, with details: such as no frames.
        """
        if self.open:
            self._look(now_ns, standing)
        if self._asked is not None and now_ns - self._asked[1] < LOST_S * NS:
            ask = self._asked[0]
            # A question to enable that is on its way is followed by one to disable at once.
            if not (ask.enable and self._end_ticket is not None):
                return None
        elif now_ns < self._next_ask_ns and self._asked is None:
            return None
        if self._end_ticket is not None:
            return self._ask(False, now_ns)
        if self.status is Status.ACCEPTED and not standing:
            return self._ask(True, now_ns)
        return None

    def unasked(self, now_ns: int) -> None:
        """Take note that the last question could not be sent; it comes again."""
        self._asked, self._next_ask_ns = None, now_ns + round(AGAIN_S * NS)
        if self.status is Status.ACCEPTED:
            self.reason = 'not_enabled: arm_command/enable is not served'

    def facts(self, now_ns: int) -> dict[str, str]:
        """Return the feedback, by key: the interface for clients and viewers."""
        over_ns = now_ns if self.open else self._over_ns
        elapsed_s = (over_ns - self._begun_ns) / NS if self._number else 0.0
        limit_s = self._config.time_limit
        left = self.status is Status.EXECUTING and limit_s
        return {
            'goal': self.name,
            'status': self.status.value,
            'reason': self.reason,
            'instruction': self.instruction,
            'steps': str(self.steps),
            'elapsed_s': f'{elapsed_s:.2f}',
            'left_s': f'{max(limit_s - elapsed_s, 0.0):.2f}' if left else '',
            'rate_hz': f'{self._rate(now_ns):.1f}',
            'arm': self._arm.reason if self._arm else '',
        }

    # -- inside ----------------------------------------------------------------------------------

    def _look(self, now_ns: int, standing: Mapping[str, str]) -> None:
        config, first = self._config, next(iter(standing.items()), None)
        why = f'{first[0]}: {first[1]}' if first else ''
        since_s = (now_ns - self._begun_ns) / NS
        if self._alive_ns is not None and now_ns - self._alive_ns > config.client_silence * NS:
            self._end(Status.CANCELED, f'client_gone: silent {config.client_silence} s', now_ns)
        elif self._arm_silent(now_ns):
            self._end(Status.ABORTED, f'arm_silent: no report for {ARM_SILENT_S:g} s', now_ns)
        elif self.status is Status.ACCEPTED:
            if why:
                self.reason = why
            if since_s > config.prepare_limit:
                self._end(Status.ABORTED, f'not_ready: {self.reason}', now_ns)
        elif not self._seen_enabled and since_s > ARM_SILENT_S:
            self._end(Status.ABORTED, 'arm_stopped: it does not report that it is enabled', now_ns)
        elif config.time_limit and since_s > config.time_limit:
            self._end(Status.ABORTED, f'time_limit: {config.time_limit:g} s', now_ns)
        elif now_ns - self._action_ns > config.patience * NS:
            self._end(
                Status.ABORTED,
                f'stalled: no action for {config.patience:g} s' + (f'; {why}' if why else ''),
                now_ns,
            )
        else:
            self.reason = why or 'executing'

    def _arm_silent(self, now_ns: int) -> bool:
        return self._arm is None or now_ns - self._arm.heard_ns > ARM_SILENT_S * NS

    def _end(self, status: Status, reason: str, now_ns: int) -> bool:
        if not self.open:
            return False
        if self.status is Status.ACCEPTED:
            # It never moved the arm: what it waited for is no time of its own.
            self._begun_ns = now_ns
        self.status, self.reason, self._over_ns = status, reason, now_ns
        self._end_ticket = self._tickets + 1
        self._next_ask_ns = now_ns
        return True

    def _ask(self, enable: bool, now_ns: int) -> Ask:
        self._tickets += 1
        ask = Ask(enable, self._tickets)
        self._asked = (ask, now_ns)
        return ask

    def _rate(self, now_ns: int) -> float:
        recent = [each for each in self._sent_ns if now_ns - each <= RATE_WINDOW_S * NS]
        if self.status is not Status.EXECUTING or len(recent) < 2:
            return 0.0
        return (len(recent) - 1) * NS / max(recent[-1] - recent[0], 1)
