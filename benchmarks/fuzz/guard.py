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

"""Random and structured action messages through the arm's guard, judged by somebody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
import random
from typing import Any

from benchmarks.fuzz.joint_judge import JointJudge
from benchmarks.fuzz.judge import Judge
from benchmarks.fuzz.messages import Message, Sender
from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action
from vla_accel_ros.safety.arm_guard import ArmGuard
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.interlock import State
from vla_accel_ros.safety.limits import Limits

BOX = ((-0.05, -0.05, -0.05), (0.05, 0.05, 0.05))
MALFORMED = 'malformed'
START_NS = 1_700_000_000_000_000_000
# One guard lives for so many messages: what it remembers of some must not spoil later ones.
LIFE = 2000


def play(seed: int, count: int) -> tuple[Judge, Counter]:
    """Send messages to one guard, whose clocks go on between them by any amount.

    Args:
        seed: Of messages, times and the operator.
        count: Messages.

    Returns:
        The judge, and how often each reason was given.
    """
    dice, sender, reasons = random.Random(-seed - 1), Sender(random.Random(seed)), Counter()
    box = BOX if seed % 2 else None
    limits = Limits(workspace_min=BOX[0], workspace_max=BOX[1]) if box else Limits()
    guard, judge = ArmGuard(GuardConfig(limits=limits)), Judge(box)
    now_ns, clock_ns = 10**9, START_NS
    for _ in range(count):
        if guard.state is not State.ENABLED:
            judge.disabled()
            if dice.random() < 0.3:
                guard.enable(now_ns, clock_ns)
                judge.enabled(clock_ns)
        elif dice.random() < 0.002:
            guard.stop()
            judge.disabled()
        for _ in range(dice.choice((1, 2, 4))):
            gap_ns = dice.choice((1_000_000, 5_000_000, 12_500_000, 12_500_000, 40_000_000))
            now_ns, clock_ns = now_ns + gap_ns, clock_ns + gap_ns
            _tick(guard, judge, now_ns)
        if dice.random() < 0.002:
            now_ns, clock_ns = late(now_ns, clock_ns, dice)
            _tick(guard, judge, now_ns)
        if box:
            guard.drive.update_pose(tuple(judge.place), now_ns)
        reason = offer(guard, judge, sender.next(clock_ns), now_ns, clock_ns)
        reasons[reason] += 1
        if reason != MALFORMED:
            _tick(guard, judge, now_ns)
    return judge, reasons


def late(now_ns: int, clock_ns: int, dice: random.Random) -> tuple[int, int]:
    """Return both clocks after the node was late, the machine hung, or the stamps' was set."""
    return (
        now_ns + dice.choice((10**8, 10**9, 10**10)),
        clock_ns + dice.choice((10**8, 10**9, -(10**8), -(10**9), -(10**11), 10**12)),
    )


def offer(
    guard: ArmGuard,
    judge: Judge | JointJudge,
    message: Message,
    now_ns: int,
    clock_ns: int,
    space: ActionSpace = END_EFFECTOR,
) -> str:
    """Send a guard one message, and tell the judge of it.

    Returns:
        Why it was refused; 'accepted', or `MALFORMED` where it is no action at all.
    """
    try:
        action = Action(message.row, message.stamp_ns, space=space)
    except (ValueError, OverflowError):
        return MALFORMED
    refusal = guard.accept(action, now_ns, message.step_s, clock_ns)
    if guard.state is not State.ENABLED:
        judge.disabled()
    if refusal is None:
        judge.message(message.row, message.stamp_ns, message.step_s, now_ns, clock_ns)
    return refusal.reason if refusal else 'accepted'


def _tick(guard: ArmGuard, judge: Judge, now_ns: int) -> None:
    command = guard.tick(now_ns)
    if command.state is not State.ENABLED:
        judge.disabled()
    (gripper,) = command.grippers
    judge.twist(command.values, gripper, now_ns)


def run(
    seed: int, count: int, life: Callable[[int, int], tuple[Any, Counter]] = play
) -> tuple[list[str], Counter]:
    """Play lives of a guard until so many messages were sent.

    Args:
        seed: Of the first life.
        count: Messages.
        life: Plays one; of a guard of tools when left out.

    Returns:
        What was not safe, each with the seed of its life, and how often each reason was given.
    """
    unsafe, reasons = [], Counter()
    for number in range(-(-count // LIFE)):
        judge, found = life(seed + number, min(LIFE, count - number * LIFE))
        reasons += found
        unsafe += [f'seed {seed + number}: {what}' for what in judge.unsafe]
    return unsafe, reasons
