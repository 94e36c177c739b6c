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

"""The arm's guard: all that stands between an action and the arm, in one ROS-free class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from vla_accel_ros.actions import Action
from vla_accel_ros.safety.drive import Drive, Values
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.interlock import Interlock, State
from vla_accel_ros.safety.limits import Order, Refusal, check_form, check_stamp
from vla_accel_ros.safety.measured import LEAP
from vla_accel_ros.safety.tool_drive import CLOCK_SLACK_NS, ToolDrive

# A clock of the stamps that falls back by more was reset.
CLOCK_RESET_NS = 500_000_000
MOVING = 'moving'


@dataclass(frozen=True)
class Command:
    """What to send to the arm at a tick.

    Attributes:
        values: What the drive sends, finite and within the limits: a twist [6] in m/s and rad/s,
            base frame, or joint positions [joints] in rad or m. Empty where nothing is to be sent.
        grippers: Of each gripper of the space 0 open or 1 closed on a change, else None.
        state: Whether the arm may move.
        reason: `moving`, `settled` (the action is executed), `idle` (no action yet),
            `watchdog/<cause>`, or why the arm may not move.
    """

    values: Values
    grippers: tuple[float | None, ...]
    state: State
    reason: str

    @property
    def moving(self) -> bool:
        """Whether the values move the arm."""
        return self.reason == MOVING


class ArmGuard:
    """Accepts or refuses actions, and gives what to send to the arm at each tick.

    Which kind of command that is, and which limits an action has, is its drive's business. An
    action of a space that is not the drive's is refused.

    `now_ns` is a monotonic clock's, for durations; `clock_ns` that of the stamps (they are the
    same where it is left out). Tick at `period_s` and once right after each accepted action,
    restarting the timer there: the stream's samples then end where the action does.

    Args:
        config: Settings.
        drive: The kind of command; twists when left out.
    """

    def __init__(self, config: GuardConfig | None = None, drive: Drive | None = None) -> None:
        config = config or GuardConfig()
        self._config = config
        self._drive = drive or ToolDrive()
        self._drive.configure(config)
        self._interlock = Interlock()
        self._order = Order()
        self._watchdog = config.make_watchdog()
        self._latches = [config.make_gripper() for _ in self._drive.space.grippers]
        self._rate = config.make_rate()
        self._counters: Counter[str] = Counter()
        self._several = ''
        self._now_ns = 0
        self._clock_ns = 0

    def configure(self, config: GuardConfig) -> None:
        """Change the settings; what is owed, remembered and enabled stays."""
        self._config = config
        self._watchdog.configure(config.grace_s)
        self._drive.configure(config)
        for latch in self._latches:
            latch.configure(
                config.gripper_open_below, config.gripper_close_above, config.gripper_min_dwell_s
            )
        self._rate = config.make_rate()

    @property
    def config(self) -> GuardConfig:
        """The settings in force."""
        return self._config

    @property
    def drive(self) -> Drive:
        """The kind of command."""
        return self._drive

    @property
    def state(self) -> State:
        """Whether the arm may move."""
        return self._interlock.state

    @property
    def reason(self) -> str:
        """Why the arm may not move; `enabled` when it may."""
        return self._interlock.reason

    @property
    def stops(self) -> int:
        """How often the arm was stopped, also while it was stopped already."""
        return self._interlock.stops

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start: `accepted`, `refused/<reason>`, `watchdog/<cause>`."""
        return dict(self._counters)

    @property
    def period_s(self) -> float:
        """Seconds between two ticks: it follows the rate of the actions."""
        return self._rate.period_s

    def room(self, now_ns: int) -> dict[str, float]:
        """Return what is left to each limit, by name; see `Drive.room`."""
        return self._drive.room(now_ns)

    def enable(self, now_ns: int, clock_ns: int | None = None) -> None:
        """Let the arm move, from rest: actions stamped before now are stale."""
        self._halt_motion()
        for latch in self._latches:
            latch.forget()
        self._now_ns = now_ns
        self._clock_ns = now_ns if clock_ns is None else clock_ns
        self._order.forget(self._clock_ns)
        self._drive.begin()
        self._interlock.enable()

    def disable(self) -> None:
        """Take the enabling back: held from the next tick on."""
        self._halt_motion()
        self._interlock.disable()

    def stop(self, reason: str = 'stop_requested') -> None:
        """Stop: held from the next tick on, until enabled again."""
        self._halt_motion()
        self._interlock.stop(reason)

    def note_masters(self, several: str) -> bool:
        """Take note of whether several command the arm: it stops, and no action is accepted.

        Args:
            several: Who, as `masters.too_many` says it; empty when one does.

        Returns:
            Whether this stopped an arm that was enabled.
        """
        self._several = several
        if not several or not self._interlock.enabled:
            return False
        self.stop('several_publishers')
        return True

    def obstacles(self, now_ns: int) -> list[Refusal]:
        """Return everything that the guard itself has against enabling the arm.

        Args:
            now_ns: Monotonic time, nanoseconds.
        """
        found = []
        if self._several:
            found.append(Refusal('several_publishers', self._several))
        return [*found, *self._drive.obstacles(now_ns)]

    def accept(
        self, action: Action, now_ns: int, step_s: float, clock_ns: int | None = None
    ) -> Refusal | None:
        """Accept an action, or refuse it whole.

        Args:
            action: The action; anything else, whatever the caller's types say, is refused as
                malformed.
            now_ns: Monotonic time, nanoseconds.
            step_s: Its policy step, seconds.
            clock_ns: Time on the clock of the stamps, nanoseconds.

        Returns:
            Why it was refused, None when it was accepted.
        """
        clock_ns = now_ns if clock_ns is None else clock_ns
        refusal = self._check(action, now_ns, step_s, clock_ns)
        if refusal:
            self._counters[f'refused/{refusal.reason}'] += 1
            self._watchdog.note(refusal.reason)
            return refusal
        self._counters['accepted'] += 1
        row = action.values.tolist()
        self._watchdog.feed(self._drive.add(row, step_s, self._now_ns))
        self._order.add(action.stamp_ns)
        for latch, place in zip(self._latches, self._drive.space.grippers, strict=True):
            latch.want(row[place])
        self._rate.on_action(self._now_ns, step_s)
        return None

    def refuse(self, reason: str, detail: str) -> Refusal:
        """Count a refusal found elsewhere, such as a message that holds no action."""
        self._counters[f'refused/{reason}'] += 1
        self._watchdog.note(reason)
        return Refusal(reason, detail)

    def tick(self, now_ns: int) -> Command:
        """Give what to send to the arm now; nothing that was put in can make it unsafe."""
        if not self._interlock.enabled or not self._advance(now_ns):
            # While the arm is off the time comes from here; one that falls back is ignored.
            return self._held(self.reason, max(self._now_ns, now_ns))
        trouble = self._drive.trouble(self._now_ns)
        if trouble and trouble.reason == LEAP:
            # Displacements would go on from where the joints are not.
            self.stop(LEAP)
            return self._held(self.reason, self._now_ns)
        if trouble and self._watchdog.fed:
            self._watchdog.note(trouble.reason)
            self._watchdog.cut(self._now_ns)
        if self._watchdog.fired(self._now_ns):
            return self._held(self._fire(), self._now_ns)
        values, moving = self._drive.tick(self._now_ns, self.period_s)
        if fault := self._drive.fault(values):
            self._halt_motion()
            self._interlock.fault(fault)
            return self._held(self.reason, self._now_ns)
        grippers = tuple(latch.poll(self._now_ns) for latch in self._latches)
        return Command(values, grippers, self.state, MOVING if moving else 'settled')

    def _held(self, reason: str, now_ns: int) -> Command:
        values = self._drive.held(now_ns)
        return Command(values, (None,) * len(self._latches), self.state, reason)

    def _check(self, action: object, now_ns: int, step_s: float, clock_ns: int) -> Refusal | None:
        if self._interlock.enabled and self._advance(now_ns):
            self._watch_clock(clock_ns)
        if self._several:
            return Refusal('several_publishers', self._several)
        if not self._interlock.enabled:
            return Refusal('not_enabled', f'arm is {self.state.value}: {self.reason}')
        form = check_form(action, step_s, self._config.limits, self._drive.space)
        if form or not isinstance(action, Action):
            return form
        stamp = check_stamp(action.stamp_ns, self._config.limits, self._order, clock_ns)
        return stamp or self._drive.check(action.values.tolist(), step_s, self._now_ns)

    def _advance(self, now_ns: int) -> bool:
        """Move on to a reading of the monotonic clock; one that falls back is a fault."""
        if now_ns < self._now_ns - CLOCK_SLACK_NS:
            self._halt_motion()
            self._interlock.fault('monotonic_clock_fell_back')
            return False
        self._now_ns = max(self._now_ns, now_ns)
        return True

    def _watch_clock(self, clock_ns: int) -> None:
        if clock_ns < self._clock_ns - CLOCK_RESET_NS:
            self._halt_motion()
            self._interlock.stop('clock_reset')
        self._clock_ns = clock_ns

    def _fire(self) -> str:
        if not self._watchdog.fed:
            return 'idle'
        cause, first = self._watchdog.trip()
        reason = f'watchdog/{cause}'
        if first:
            self._counters[reason] += 1
            self._drive.clear()
        return reason

    def _halt_motion(self) -> None:
        self._drive.clear()
        self._watchdog.forget()
        self._rate.reset()
