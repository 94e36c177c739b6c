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
"""What is safe of joints, said again in plain numbers: nothing here is shared with the guard."""

from __future__ import annotations

from collections.abc import Sequence
import math

# As docs/joint_space.md has them: rad, s. The slack is for rounding.
SLACK = 1.00001
DUST = 1e-6
RANGE, FASTEST, SPEED_UP, FARTHEST = 2.8, 2.0, 50.0, 0.3
OLDEST_S, AHEAD_S = 0.5, 0.05
SHORTEST_S, LONGEST_S = 0.01, 0.5
STATE_OLDEST_S, STATE_AHEAD_S = 0.1, 0.05
# A joint that goes so much further than its speed allows has leapt: where it is, is in doubt.
LEAP, DOUBT_S = 0.15, 1.0
# An action that comes so much after the one before it is over goes on from it.
GRACE_S = 0.04
HELD_S = 0.1
# Longest time from tick to tick that a command is made for.
TICK_S = 0.05


class JointJudge:
    """Sees every joint state, message, answer and command, and lists what was not safe.

    Args:
        joints: Places of the joints among a message's columns.
        names: What the robot calls them.
        absolute: Whether a column is a position; else a displacement.
        width: Columns of a message.

    Attributes:
        unsafe: What was not.
        accepted: Messages that were taken.
        moved: Commands that moved the arm.
    """

    def __init__(
        self, joints: Sequence[int], names: Sequence[str], absolute: bool, width: int
    ) -> None:
        self.unsafe: list[str] = []
        self.accepted = self.moved = 0
        self._joints, self._names = list(joints), list(names)
        self._absolute, self._width = absolute, width
        self._places: dict[str, tuple[int, float]] = {}
        self._leapt_ns: int | None = None
        self._enabled_ns: int | None = None
        self._stamp_ns: int | None = None
        self._sent: list[float] | None = None
        self._sent_ns, self._holds = 0, False
        self._outermost = [RANGE] * len(self._joints)
        self._forget()

    def _forget(self) -> None:
        """There is no action that the next one goes on from."""
        self._target: list[float] | None = None
        self._speeds = [0.0] * len(self._joints)
        self._end_ns = 0

    def enabled(self, clock_ns: int) -> None:
        """Take note that the operator enabled the arm, at this time of the stamps' clock."""
        self._enabled_ns, self._stamp_ns = clock_ns, None
        self._forget()

    def disabled(self) -> None:
        """Take note that the arm may not move; where it was held, a stop holds it anew."""
        if self._enabled_ns is not None:
            self._sent = None
        self._enabled_ns = None
        self._forget()

    def state(
        self, names: Sequence[str], places: Sequence[float], age_s: float, now_ns: int
    ) -> None:
        """Take a joint state; one that is wrong in any way says nothing."""
        mine = [name for name in names if name in self._names]
        known = dict(zip(names, places, strict=False))
        if len(names) != len(places) or len(set(mine)) < len(mine) or age_s < -STATE_AHEAD_S:
            return
        if not all(math.isfinite(known[name]) for name in mine):
            return
        at_ns = now_ns - round(max(age_s, 0) * 1e9)
        for name in mine:
            before_ns, before = self._places.get(name, (at_ns, known[name]))
            if at_ns >= before_ns:
                most = FASTEST * (at_ns - before_ns) / 1e9 + LEAP
                if abs(known[name] - before) > most * SLACK:
                    self._leapt_ns = now_ns
                self._places[name] = (at_ns, known[name])

    def _fresh(self, now_ns: int) -> bool:
        ages = [(now_ns - self._places[n][0]) / 1e9 for n in self._names if n in self._places]
        return len(ages) == len(self._names) and max(ages) <= STATE_OLDEST_S * SLACK

    def _sure(self, now_ns: int) -> bool:
        return self._leapt_ns is None or (now_ns - self._leapt_ns) / 1e9 > DOUBT_S / SLACK

    def _measured(self) -> list[float]:
        return [self._places[n][1] if n in self._places else math.nan for n in self._names]

    def message(
        self, row: list[float], stamp_ns: int, step_s: float, now_ns: int, clock_ns: int
    ) -> None:
        """Judge a message that was accepted."""
        self.accepted += 1
        sent = self._sent
        if self._holds:
            # It is not held any more, whatever comes next.
            self._sent = None
        age_s = (clock_ns - stamp_ns) / 1e9
        grippers = [value for at, value in enumerate(row) if at not in self._joints]
        for holds, what in (
            (self._enabled_ns is not None, 'the arm was not enabled'),
            (len(row) == self._width and all(map(math.isfinite, row)), 'not finite'),
            (step_s * SLACK >= SHORTEST_S and step_s <= LONGEST_S * SLACK, 'its step'),
            (-AHEAD_S * SLACK <= age_s <= OLDEST_S * SLACK, f'{age_s} s old'),
            (self._stamp_ns is None or stamp_ns > self._stamp_ns, 'not newer than the last'),
            (self._enabled_ns is None or stamp_ns >= self._enabled_ns, 'from before the enabling'),
            (all(-0.0011 <= value <= 1.0011 for value in grippers), 'gripper'),
            (self._fresh(now_ns), 'without knowing where the joints are'),
            (self._sure(now_ns), 'after a leap'),
        ):
            if not holds:
                self.unsafe.append(f'accepted: {what}: {row}, {stamp_ns}, {step_s}')
        self._stamp_ns = stamp_ns
        goes_on = self._target is not None and now_ns <= self._end_ns + GRACE_S * 1e9
        begin = self._target if goes_on and self._target else self._measured()
        if not goes_on:
            self._begin(sent)
        values = [row[at] for at in self._joints]
        target = [v if self._absolute else a + v for a, v in zip(begin, values, strict=True)]
        speeds = [0.0] * len(target)
        for joint, (here, there, since) in enumerate(
            zip(self._measured(), target, begin, strict=True)
        ):
            self._judge_place(here, there)
            if goes_on or not self._absolute:
                self._judge_speed((there - since) / step_s, goes_on, joint, step_s)
            if goes_on:
                speeds[joint] = (there - since) / step_s
        self._target, self._speeds = target, speeds
        self._end_ns = now_ns + int(step_s * 1e9) if math.isfinite(step_s) else 0

    def _begin(self, sent: list[float] | None) -> None:
        """Motion may begin out of the range, where the arm is or was sent; it only comes back."""
        here = self._measured()
        near = sent and all(abs(a - b) <= FARTHEST for a, b in zip(sent, here, strict=True))
        places = zip(here, sent if sent and near else here, strict=True)
        self._outermost = [max(RANGE, abs(a), abs(b)) for a, b in places]

    def _judge_place(self, here: float, there: float) -> None:
        if not abs(there - here) <= FARTHEST * SLACK:
            self.unsafe.append(f'accepted: {there} is far from {here}')
        if abs(there) > RANGE + DUST and abs(there) > abs(here) + DUST:
            self.unsafe.append(f'accepted: {there} is out of the range, from {here}')

    def _judge_speed(self, speed: float, goes_on: bool, joint: int, step_s: float) -> None:
        before = self._speeds[joint] if goes_on else 0.0
        if abs(speed) > FASTEST * SLACK + DUST:
            self.unsafe.append(f'accepted: {speed} rad/s')
        brakes = speed * before >= -DUST and abs(speed) <= abs(before) * SLACK + DUST
        if not brakes and abs(speed - before) / step_s > SPEED_UP * SLACK + DUST:
            self.unsafe.append(f'accepted: from {before} to {speed} rad/s in {step_s} s')

    def command(
        self, places: Sequence[float], grippers: Sequence[float | None], moves: bool, now_ns: int
    ) -> None:
        """Judge what goes to the arm now.

        Args:
            places: Of the joints; empty where nothing is sent.
            grippers: Of each gripper what it is to do, if anything.
            moves: Whether this is of an action, not of holding.
            now_ns: The time.
        """
        if any(each not in (None, 0, 1) for each in grippers) or (
            self._enabled_ns is None and any(each is not None for each in grippers)
        ):
            self.unsafe.append(f'sent: gripper: {grippers}')
        if not places:
            if moves:
                self.unsafe.append('sent: nothing, while it should move')
            self._sent = None
            self._forget()
            return
        if len(places) != len(self._joints) or not all(map(math.isfinite, places)):
            self.unsafe.append(f'sent: not finite: {places}')
        elif moves:
            self._judge_motion(list(places), now_ns)
        else:
            self._judge_hold(list(places), now_ns)
        self._sent, self._sent_ns, self._holds = list(places), now_ns, not moves

    def _judge_motion(self, places: list[float], now_ns: int) -> None:
        late_s = (now_ns - self._end_ns) / 1e9
        measured = self._measured()
        changed = self._sent is None or any(
            abs(a - b) > DUST for a, b in zip(places, self._sent, strict=True)
        )
        apart = max(abs(a - b) for a, b in zip(places, measured, strict=True))
        out = max(abs(a) - most for a, most in zip(places, self._outermost, strict=True))
        spent_s = min(max((now_ns - self._sent_ns) / 1e9, 0.0), TICK_S)
        before = self._sent if self._sent and not self._holds else None
        way = max(abs(a - b) for a, b in zip(places, before, strict=True)) if before else 0.0
        for holds, what in (
            (self._enabled_ns is not None, 'not enabled'),
            (self._fresh(now_ns), 'without knowing where the joints are'),
            (self._sure(now_ns), 'after a leap'),
            (not changed or late_s <= HELD_S, f'{late_s} s after the last action'),
            # The arm follows, or it is stopped: as far as an action, and a tick of motion more.
            (apart <= FARTHEST * SLACK + FASTEST * TICK_S, f'{apart} from where the joints are'),
            (out <= DUST, f'{out} out of the range'),
            (way <= FASTEST * spent_s * SLACK + DUST, f'{way} in {spent_s} s'),
        ):
            if not holds:
                self.unsafe.append(f'sent: {what}: {places}')
        self.moved += changed

    def _judge_hold(self, places: list[float], now_ns: int) -> None:
        """Judge a hold: where the joints were measured as it began, and then the same."""
        begun = self._sent if self._sent is not None and self._holds else self._measured()
        if not ((self._sent is not None and self._holds) or self._sure(now_ns)):
            self.unsafe.append(f'sent: held after a leap, at {places}')
        if any(abs(a - b) > DUST for a, b in zip(places, begun, strict=True)):
            self.unsafe.append(f'sent: held at {places}, not at {begun}')
        if any(abs(at) > RANGE + FARTHEST + DUST for at in places):
            self.unsafe.append(f'sent: held out of the range, at {places}')
        self._forget()
