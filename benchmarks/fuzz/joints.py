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
"""Random and structured joint actions through the arm's guard, judged by somebody else."""

from __future__ import annotations

from collections import Counter
import random

from benchmarks.fuzz.guard import MALFORMED, START_NS, late, offer
from benchmarks.fuzz.joint_judge import FARTHEST, FASTEST, RANGE, JointJudge
from benchmarks.fuzz.messages import EDGES, Message, Sender
from vla_accel_ros.action_columns import ColumnKind, Group
from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.safety.arm_guard import MOVING, ArmGuard
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.interlock import State
from vla_accel_ros.safety.joint_drive import JointDrive

# Around every limit, and around where the arm may not be.
LIMITS = (FARTHEST, FASTEST * 0.05, RANGE, 1.0)
# Joints an arm, arms, and whether they are told positions.
ROBOTS = ((7, 1, True), (6, 1, False), (6, 2, True), (7, 2, True))
STEP_S = 0.05


def space_of(joints: int, arms: int, absolute: bool) -> ActionSpace:
    """Make the columns of a robot."""
    kind = ColumnKind.JOINT_POSITION if absolute else ColumnKind.JOINT_DISPLACEMENT
    groups = []
    for arm in range(arms):
        names = tuple(f'arm{arm}_joint{joint}' for joint in range(joints))
        groups += [
            Group(kind, names, f'{arm}'),
            Group(ColumnKind.GRIPPER, (f'hand{arm}',), f'{arm}'),
        ]
    return ActionSpace('fuzzed', groups)


def description(names: tuple[str, ...]) -> str:
    """Write the robot's description."""
    joints = ''.join(
        f'<joint name="{name}" type="revolute"><limit lower="{-RANGE}" upper="{RANGE}" '
        f'velocity="{FASTEST}"/></joint>'
        for name in names
    )
    return f'<robot name="fuzzed">{joints}</robot>'


class Arm:
    """An arm that follows what it is told, more or less, and tells where it is, more or less.

    Args:
        names: Of its joints.
        dice: Random numbers.
    """

    def __init__(self, names: tuple[str, ...], dice: random.Random) -> None:
        self._names, self._dice = names, dice
        self.places = [dice.uniform(-RANGE, RANGE) for _ in names]
        self._silent = 0

    def follow(self, places: tuple[float, ...]) -> None:
        """Move toward what was commanded."""
        share = self._dice.choice((0.5, 1.0, 1.0, 1.0))
        if self._dice.random() < 0.001:
            # Somebody pushes it, or the controller has stopped.
            self.places = [at + self._dice.uniform(-0.5, 0.5) for at in self.places]
        if len(places) == len(self.places):
            self.places = [
                at + share * (to - at) for at, to in zip(self.places, places, strict=True)
            ]

    def state(self) -> tuple[list[str], list[float], float] | None:
        """Give a joint state: names, positions, and how old it is; None while it says nothing."""
        if self._silent or self._dice.random() < 0.01:
            self._silent = (self._silent or self._dice.choice((2, 20))) - 1
            return None
        dice, names, places, age_s = self._dice, list(self._names), list(self.places), 0.001
        kind = dice.random()
        if kind < 0.1:
            order = dice.sample(range(len(names)), len(names))
            names, places = [names[i] for i in order], [places[i] for i in order]
        elif kind < 0.101:
            # A leap, after which nothing moves for a second.
            places[dice.randrange(len(places))] = dice.choice(EDGES)
        elif kind < 0.15:
            names, places = names[1:], places[1:]
        elif kind < 0.17:
            names[0] = dice.choice((names[-1], 'another', ''))
        elif kind < 0.18:
            places.pop()
        elif kind < 0.21:
            age_s = dice.choice((-1.0, -0.051, -0.049, 0.099, 0.101, 1.0, 1e6))
        return names, places, age_s


class JointSender(Sender):
    """Makes messages of joints.

    Args:
        dice: Random numbers.
        space: What the columns are.
        arm: Which the good ones move.
    """

    def __init__(self, dice: random.Random, space: ActionSpace, arm: Arm) -> None:
        # Joints get fast only over several good messages.
        super().__init__(dice, LIMITS, changed=0.4)
        self._arm, self._width = arm, space.width
        self._joints = space.moving.tolist()
        self._absolute = bool(len(space.positions))
        self._goal: list[float] | None = None

    def _good(self, clock_ns: int) -> Message:
        dice, row = self._dice, [0.0] * self._width
        for at in range(self._width):
            row[at] = float(dice.random() < 0.5)
        steps = [dice.uniform(-0.02, 0.02) for _ in self._joints]
        if self._absolute:
            # Mostly on from the last one, as a chunk does; else from where the arm is.
            begin = self._goal if self._goal and dice.random() < 0.9 else self._arm.places
            steps = [
                max(-RANGE, min(RANGE, at + step)) for at, step in zip(begin, steps, strict=True)
            ]
            near = all(abs(a - b) < 0.25 for a, b in zip(steps, self._arm.places, strict=True))
            self._goal = steps if near else None
        for at, value in zip(self._joints, steps, strict=True):
            row[at] = value
        return Message(row, clock_ns - dice.randrange(40_000_000), STEP_S)


def play(seed: int, count: int) -> tuple[JointJudge, Counter]:
    """Send messages to one guard of joints, whose clocks go on between them by any amount.

    Args:
        seed: Of the robot, messages, times, joint states and the operator.
        count: Messages.

    Returns:
        The judge, and how often each reason was given.
    """
    dice, reasons = random.Random(-seed - 1), Counter()
    robot = ROBOTS[seed % len(ROBOTS)]
    space = space_of(*robot)
    drive = JointDrive(space, GuardConfig())
    guard = ArmGuard(GuardConfig(), drive)
    judge = JointJudge(space.moving.tolist(), drive.names, robot[2], space.width)
    drive.describe(description(drive.names))
    arm = Arm(drive.names, dice)
    sender = JointSender(dice, space, arm)
    now_ns, clock_ns = 10**9, START_NS

    def tick() -> None:
        if state := arm.state():
            names, places, age_s = state
            drive.update_joints(names, places, now_ns, age_s)
            judge.state(names, places, age_s, now_ns)
        command = guard.tick(now_ns)
        if command.state is not State.ENABLED:
            judge.disabled()
        moves = command.reason in (MOVING, 'settled')
        judge.command(command.values, command.grippers, moves, now_ns)
        arm.follow(command.values)

    for _ in range(count):
        if guard.state is not State.ENABLED:
            judge.disabled()
            if dice.random() < 0.3 and not guard.obstacles(now_ns):
                guard.enable(now_ns, clock_ns)
                judge.enabled(clock_ns)
        elif dice.random() < 0.002:
            guard.stop()
            judge.disabled()
        for _ in range(dice.choice((1, 2, 4))):
            gap_ns = dice.choice((1_000_000, 5_000_000, 12_500_000, 12_500_000, 40_000_000))
            now_ns, clock_ns = now_ns + gap_ns, clock_ns + gap_ns
            tick()
        if dice.random() < 0.002:
            now_ns, clock_ns = late(now_ns, clock_ns, dice)
            tick()
        reason = offer(guard, judge, sender.next(clock_ns), now_ns, clock_ns, space)
        reasons[reason] += 1
        if reason != MALFORMED:
            tick()
    return judge, reasons
