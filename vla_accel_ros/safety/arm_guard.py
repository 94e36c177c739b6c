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
from math import hypot, isfinite

from vla_accel_ros.action_columns import AXES
from vla_accel_ros.actions import Action
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.interlock import Interlock, State
from vla_accel_ros.safety.limits import Record, Refusal, check, motion, no_pose
from vla_accel_ros.safety.room import room
from vla_accel_ros.safety.stream import ANGULAR, GRIPPER_AT, LINEAR, ZERO

NS = 1_000_000_000
# Executors may hand over two readings of the monotonic clock in the wrong order, by this much.
CLOCK_SLACK_NS = 5_000_000
# A clock of the stamps that falls back by more was reset.
CLOCK_RESET_NS = 500_000_000


@dataclass(frozen=True)
class Command:
    """What to send to the arm at a tick.

    Attributes:
        twist: Linear in m/s, angular in rad/s, base frame, [6]; finite and within the limits.
        gripper: 0 open or 1 closed on a change, else None.
        state: Whether the arm may move.
        reason: `moving`, `settled` (the displacement is paid), `idle` (no action yet),
            `watchdog/<cause>`, or why the arm may not move.
    """

    twist: tuple[float, ...]
    gripper: float | None
    state: State
    reason: str

    @property
    def moving(self) -> bool:
        """Whether the twist is not zero."""
        return any(self.twist)


class ArmGuard:
    """Accepts or refuses actions of the end effector, and gives the twist to send at each tick.

    An action of any other space is refused: its columns have no limits here.

    `now_ns` is a monotonic clock's, for durations; `clock_ns` that of the stamps (they are the
    same where it is left out). Tick at `period_s` and once right after each accepted action,
    restarting the timer there: the stream's samples then end where the action does.

    Args:
        config: Settings.
    """

    def __init__(self, config: GuardConfig | None = None) -> None:
        config = config or GuardConfig()
        self._config = config
        self._interlock = Interlock()
        self._record = Record()
        self._watchdog = config.make_watchdog()
        self._stream = config.make_stream()
        self._gripper = config.make_gripper()
        self._rate = config.make_rate()
        self._counters: Counter[str] = Counter()
        self._pose: tuple[int, tuple[float, float, float]] | None = None
        self._several = ''
        self._now_ns = 0
        self._clock_ns = 0

    def configure(self, config: GuardConfig) -> None:
        """Change the settings; what is owed, remembered and enabled stays."""
        self._config = config
        self._watchdog.configure(config.grace_s)
        self._stream.configure(
            config.limits.linear_speed,
            config.limits.angular_speed,
            config.hold_limit_s,
            config.late_s,
        )
        self._gripper.configure(
            config.gripper_open_below, config.gripper_close_above, config.gripper_min_dwell_s
        )
        self._rate = config.make_rate()

    @property
    def config(self) -> GuardConfig:
        """The settings in force."""
        return self._config

    @property
    def state(self) -> State:
        """Whether the arm may move."""
        return self._interlock.state

    @property
    def reason(self) -> str:
        """Why the arm may not move; `enabled` when it may."""
        return self._interlock.reason

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start: `accepted`, `refused/<reason>`, `watchdog/<cause>`."""
        return dict(self._counters)

    @property
    def period_s(self) -> float:
        """Seconds between two ticks: it follows the rate of the actions."""
        return self._rate.period_s

    def room(self, now_ns: int) -> dict[str, float]:
        """Return what is left to each limit, by name; see `room.room`."""
        position = self._planned_position()
        return room(self._config.limits, self._record, now_ns, self._config.grace_s, position)

    def enable(self, now_ns: int, clock_ns: int | None = None) -> None:
        """Let the arm move, from rest: actions stamped before now are stale."""
        self._halt_motion()
        self._gripper.forget()
        self._now_ns = now_ns
        self._clock_ns = now_ns if clock_ns is None else clock_ns
        self._record.forget(self._clock_ns)
        self._interlock.enable()

    def disable(self) -> None:
        """Take the enabling back: zero from the next tick on."""
        self._halt_motion()
        self._interlock.disable()

    def stop(self, reason: str = 'stop_requested') -> None:
        """Stop: zero from the next tick on, until enabled again."""
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
        if self._config.limits.boxed and not self._pose_is_fresh(now_ns):
            found.append(no_pose(self._config.limits))
        return found

    def update_pose(
        self, position: tuple[float, float, float], now_ns: int, age_s: float = 0.0
    ) -> bool:
        """Take the end effector's position; return whether it is usable.

        Args:
            position: Metres, base frame.
            now_ns: Monotonic time, nanoseconds.
            age_s: How old the pose is by its stamp, seconds.
        """
        usable = len(position) == AXES and all(map(isfinite, position))
        if usable:
            x, y, z = position
            dx, dy, dz = self._stream.paid(now_ns)[LINEAR]
            origin = (float(x) - dx, float(y) - dy, float(z) - dz)
            self._pose = (now_ns - round(age_s * NS), origin)
        return usable

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
        self._stream.add(motion(row), self._now_ns, step_s)
        self._watchdog.feed(self._stream.horizon_ns)
        self._record.add(action, self._now_ns, step_s)
        self._gripper.want(row[GRIPPER_AT])
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
            return Command(ZERO, None, self.state, self.reason)
        if self._watchdog.fired(self._now_ns):
            return Command(ZERO, None, self.state, self._fire())
        twist = self._stream.tick(self._now_ns, self.period_s)
        limits = self._config.limits
        # NaN fails every comparison, so this also holds what no test thought of.
        safe = (
            hypot(*twist[LINEAR]) <= limits.linear_speed
            and hypot(*twist[ANGULAR]) <= limits.angular_speed
        )
        if not safe:
            self._halt_motion()
            self._interlock.fault('unsafe_twist')
            return Command(ZERO, None, self.state, self.reason)
        reason = 'moving' if any(twist) else 'settled'
        return Command(twist, self._gripper.poll(self._now_ns), self.state, reason)

    def _check(self, action: object, now_ns: int, step_s: float, clock_ns: int) -> Refusal | None:
        if self._interlock.enabled and self._advance(now_ns):
            self._watch_clock(clock_ns)
        if self._several:
            return Refusal('several_publishers', self._several)
        if not self._interlock.enabled:
            return Refusal('not_enabled', f'arm is {self.state.value}: {self.reason}')
        return check(
            action,
            step_s,
            self._config.limits,
            self._record,
            self._now_ns,
            clock_ns,
            self._planned_position(),
            self._config.grace_s,
        )

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

    def _planned_position(self) -> tuple[float, float, float] | None:
        """Where the arm will be once it has executed all that was accepted.

        What was paid since the pose was taken counts: a pose that no longer comes must not let
        the arm walk out of the box for as long as it counts as fresh.
        """
        if self._pose is None or not self._pose_is_fresh(self._now_ns):
            return None
        _, (x, y, z) = self._pose
        dx, dy, dz = self._stream.committed[LINEAR]
        return x + dx, y + dy, z + dz

    def _pose_is_fresh(self, now_ns: int) -> bool:
        if self._pose is None:
            return False
        age_ns = now_ns - self._pose[0]
        # One from the future is of before the clock was set back.
        return -CLOCK_SLACK_NS <= age_ns <= self._config.limits.max_pose_age_s * NS

    def _fire(self) -> str:
        if not self._watchdog.fed:
            return 'idle'
        cause, first = self._watchdog.trip()
        reason = f'watchdog/{cause}'
        if first:
            self._counters[reason] += 1
            self._stream.clear()
        return reason

    def _halt_motion(self) -> None:
        self._stream.clear()
        self._watchdog.forget()
        self._rate.reset()
