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


"""A scripted expert: what to do now, as a function of the simulator's state and the task only.

It remembers nothing, so that its demonstrations are Markov and every visited state can be
labelled for every instruction. Steps toward a waypoint at distance n are v * tanh(0.35 n / v):
proportional when near, at most v when far. The waypoint itself moves smoothly with the state, and
no faster than a camera can tell states apart: a clone that is between 'down' and 'straight up'
takes what both agree on, which is to stand still.
"""

from __future__ import annotations

import math

import numpy as np

from vla_accel_ros.sim.hand import FINGER_OPEN, FINGER_THICK
from vla_accel_ros.sim.motion import toward
from vla_accel_ros.sim.rotations import DOWN, to_vector, yaw_matrix
from vla_accel_ros.sim.scene import BIN_FLOOR, BIN_HALF, BIN_WALL, CUBE_HALF
from vla_accel_ros.sim.state import State
from vla_accel_ros.sim.tasks import Task, in_bin, parse, stacked

FAST = 0.020
PRECISE = 0.009
LIFT = 0.012
TURN = 0.10
GAIN = 0.35

HOVER = 0.085
LIFT_HEIGHT = 0.24
TRANSPORT_HEIGHT = 0.130
# Over how far a cube that is carried comes down to where it is let go, sideways.
APPROACH = 0.060
CUBE_WIDTH = 2 * CUBE_HALF
_IDLE = np.zeros(3)


class Expert:
    """The memoryless waypoint controller (ours)."""

    def action(self, state: State, task: Task | str) -> np.ndarray:
        """Return what to do in this state to get the task done.

        Args:
            state: What `TabletopEnv.state` gave.
            task: A task or its instruction; any, not only the environment's own.

        Returns:
            float64 [7]: m, rad about the base axes, gripper 0 open to 1 closed.

        Raises:
            ValueError: When the instruction is unknown.
        """
        task = parse(task)
        cube = state.cubes[task.colour]
        if task.kind != 'lift' and self._delivered(state, task):
            return self._retreat(state)
        if holds(state, task.colour):
            if task.kind == 'lift':
                return self._lift(state)
            return self._deliver(state, task, cube)
        return self._grasp(state, cube - [0.0, _aside(state, cube), 0.0], state.yaw(task.colour))

    def _grasp(self, state: State, cube: np.ndarray, yaw: float) -> np.ndarray:
        offset = cube - state.ee_position
        sideways = math.hypot(offset[0], offset[1])
        turn = yaw - state.ee_yaw
        # A funnel: the less aligned, the higher the waypoint above the cube.
        misfit = sideways + 0.06 * abs(turn)
        depth = state.ee_position[2] - cube[2]
        # Fingers already closing may go on where they would not have begun.
        closing = 0.006 * _ramp((2 * FINGER_OPEN - 0.002 - state.width) / 0.006)
        if misfit < 0.010 + closing and abs(depth) < 0.010 + closing:
            step = toward(offset, PRECISE, GAIN)
            # Up already as the fingers arrive: shut and nearly shut look the same.
            shut = _ramp((CUBE_WIDTH + 0.010 - state.width) / 0.006)
            step[2] += (LIFT - step[2]) * shut
            return _join(step, _level(state, yaw), 1.0)
        # Fingers that are still opening must not come down on the cube.
        shut = _ramp((2 * FINGER_OPEN - 0.010 - state.width) / 0.010)
        clearance = HOVER * max(_ramp((misfit - 0.006) / 0.030), shut)
        goal = cube + [0.0, 0.0, clearance]
        speed = PRECISE + (FAST - PRECISE) * _ramp(
            (np.linalg.norm(goal - state.ee_position) - 0.02) / 0.05
        )
        step = toward(goal - state.ee_position, speed, GAIN)
        # Sunk beside the cube: rise first, go sideways after.
        step[:2] *= 1.0 - _ramp((clearance - depth - 0.015) / 0.020)
        return _join(step, _level(state, yaw), 0.0)

    def _lift(self, state: State) -> np.ndarray:
        rise = max(LIFT_HEIGHT - state.ee_position[2], 0.0)
        return _join(toward(np.array([0.0, 0.0, rise]), LIFT, GAIN), _level(state), 1.0)

    def _deliver(self, state: State, task: Task, cube: np.ndarray) -> np.ndarray:
        goal, tolerance, drop = self._goal(state, task)
        offset = goal - cube
        sideways = math.hypot(offset[0], offset[1])
        if sideways < tolerance and -offset[2] < drop:
            return _join(_IDLE, _level(state), 0.0)
        others = [z for colour, (_, _, z) in state.cubes.items() if colour != task.colour]
        height = max(TRANSPORT_HEIGHT, max(others) + CUBE_WIDTH + 0.025)
        away = _ramp((sideways - 0.5 * tolerance) / APPROACH)
        offset[2] = goal[2] + (height - goal[2]) * away - cube[2]
        far = _ramp((sideways - 0.02) / 0.05)
        step = toward(offset, PRECISE + (FAST - PRECISE) * far, GAIN)
        # Below what stands in the way: straight up, at the speed of a lift.
        low = _ramp((offset[2] - 0.020) / 0.020)
        step[:2] *= 1.0 - low
        step[2] = step[2] * (1.0 - low) + LIFT * low
        return _join(step, _level(state), 1.0)

    @staticmethod
    def _goal(state: State, task: Task) -> tuple[np.ndarray, float, float]:
        """Return where the cube's centre is let go, and how far off sideways and above, m."""
        if task.kind == 'place':
            return state.bin_position + [0.0, 0.0, BIN_FLOOR + CUBE_HALF + 0.025], 0.020, 0.012
        return state.cubes[task.other] + [0.0, 0.0, CUBE_WIDTH + 0.002], 0.009, 0.007

    def _delivered(self, state: State, task: Task) -> bool:
        """Return whether the cube rests where it should, or is falling there, let go of."""
        if task.kind == 'stack':
            return stacked(state, task.colour, task.other) and not holds(state, task.colour)
        if holds(state, task.colour):
            return False
        offset = state.cubes[task.colour] - state.bin_position
        inside = float(np.max(np.abs(offset[:2]))) < BIN_HALF - CUBE_HALF
        return in_bin(state, task.colour) or (inside and offset[2] < 0.09)

    @staticmethod
    def _retreat(state: State) -> np.ndarray:
        """Let go, then rise out of the way, the slower the less the fingers are open."""
        free = _ramp((state.width - CUBE_WIDTH - 0.006) / 0.010)
        rise = max(0.20 - state.ee_position[2], 0.0)
        return _join(toward(np.array([0.0, 0.0, rise]), FAST, GAIN) * free, _level(state), 0.0)


def holds(state: State, colour: str) -> bool:
    """Return whether the fingers are shut on a cube, judged by poses alone."""
    local = state.ee_rotation.T @ (state.cubes[colour] - state.ee_position)
    return bool(
        abs(local[0]) < 0.018
        and abs(local[1]) < 0.012
        and abs(local[2]) < 0.020
        and CUBE_WIDTH - 0.006 < state.width < CUBE_WIDTH + 0.0025
    )


def _aside(state: State, cube: np.ndarray) -> float:
    """Return how far from a cube's centre the hand must stay to miss the bin's wall, m."""
    outside = BIN_HALF + BIN_WALL
    away = state.bin_position - cube
    wall = away[1] - outside
    if wall < CUBE_HALF:
        return 0.0
    beside = _ramp((outside + 0.030 - abs(away[0])) / 0.015)
    missing = state.width / 2 + FINGER_THICK + 0.002 - wall
    return beside * min(max(missing, 0.0), FINGER_OPEN - CUBE_HALF - 0.002)


def _level(state: State, yaw: float | None = None) -> np.ndarray:
    """Return the turn toward pointing straight down at a heading, the present one if None."""
    wanted = yaw_matrix(state.ee_yaw if yaw is None else yaw) @ DOWN
    return toward(to_vector(wanted @ state.ee_rotation.T), TURN, GAIN)


def _ramp(value: float) -> float:
    """Return a smooth step from 0 at 0 to 1 at 1."""
    value = min(max(float(value), 0.0), 1.0)
    return value * value * (3.0 - 2.0 * value)


def _join(translation: np.ndarray, rotation: np.ndarray, gripper: float) -> np.ndarray:
    return np.concatenate([translation, rotation, [gripper]])
