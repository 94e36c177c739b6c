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

"""A scripted expert for those tasks of LIBERO that are done by picking up and placing.

What it does follows from the simulator's state only: it remembers nothing, so its demonstrations
are Markov, any state can be labelled, and whatever goes wrong is taken up again from where it is.
Fast in the open, slow where something is touched, as people are. All waypoints are ours.
"""

from __future__ import annotations

import math

import numpy as np

from vla_accel_ros.environments.libero_scene import Box, Scene
from vla_accel_ros.sim.rotations import DOWN, to_vector, wrap, yaw_matrix

# What OSC_POSE is told, m a step; it does about a quarter of it.
FAST = 0.050
SLOW = 0.018
GAIN = 2.0
TURN = 0.20
# From the point between the fingertips, m: to the tips below, to the palm above.
TIPS = 0.013
PALM = 0.035
# Half extents of the palm and of the open fingers, m, along and across the way that they open.
PALM_HALF = (0.107, 0.037)
FINGERS_HALF = (0.056, 0.012)
# Between fingers that are open, m.
OPEN = 0.072
# What is wider than this is held by its rim, so far inside its outer edge, m.
WIDE = 0.075
RIM = 0.016
DEPTH = 0.035
HOVER = 0.060
CLEAR = 0.050
ALIGNED = 0.010
YAWS = (0.0, math.pi / 2)


def act(scene: Scene) -> np.ndarray:
    """Return what to do now.

    Returns:
        float64 [7]: told displacement in m and rad, gripper 0 open to 1 closed.
    """
    sideways = float(np.linalg.norm(scene.goal.position - scene.origin[:2]))
    bottom = scene.thing.low[2] - _rest(scene)
    delivered = sideways < 0.022 and bottom < 0.014
    if scene.held and not delivered:
        return _deliver(scene, sideways)
    if delivered:
        up = np.array([0.0, 0.0, 0.08])
        return _join(_step(up * (scene.width > OPEN), SLOW), _level(scene), 0.0)
    return _grasp(scene, *grip(scene))


def grip(scene: Scene) -> tuple[np.ndarray, float]:
    """Return where to hold the thing, [3] in m, and how far the hand is turned about z, rad.

    Of all ways to hold it the first is taken in which hand and fingers touch nothing else, or
    the one that touches least.
    """
    box = scene.thing
    ways = list(_ways(box, scene.goal.position))
    costs = [_overlap(scene.obstacles, point, yaw) for point, yaw in ways]
    return ways[int(np.argmin(np.round(costs, 4)))]


def _ways(box: Box, goal: np.ndarray):
    centre, half = box.centre, 0.5 * (box.high - box.low)
    height = max(box.high[2] - DEPTH, centre[2] if half[1] < 0.5 * WIDE else -np.inf)
    height = max(height, box.low[2] + TIPS)
    for yaw in YAWS:
        opening, along = (1, 0) if yaw == 0.0 else (0, 1)
        if half[opening] < 0.5 * WIDE:
            reach = max(half[along] - 0.012, 0.0)
            shifts = np.linspace(-reach, reach, 9)
            for shift in sorted(shifts, key=abs):
                point = np.array([centre[0], centre[1], height])
                point[along] += shift
                yield point, yaw
        else:
            side = 1.0 if goal[opening] > centre[opening] else -1.0
            for sign in (side, -side):
                point = np.array([centre[0], centre[1], height])
                point[opening] += sign * (half[opening] - RIM)
                yield point, yaw


def _overlap(obstacles: np.ndarray, point: np.ndarray, yaw: float) -> float:
    """Return how deep hand and fingers would be in something on their way down, m."""
    worst = 0.0
    for half, above in ((PALM_HALF, PALM), (FINGERS_HALF, -TIPS + 0.004)):
        across, along = half if yaw else half[::-1]
        extent = np.array([across, along])
        high = obstacles[:, 1, 2] > point[2] + above
        low, top = obstacles[high, 0, :2], obstacles[high, 1, :2]
        depth = np.minimum(top - (point[:2] - extent), (point[:2] + extent) - low).min(1)
        worst = max(worst, float(depth.max(initial=0.0)))
    return worst


def _grasp(scene: Scene, point: np.ndarray, yaw: float) -> np.ndarray:
    offset = point - scene.tool
    turn = _level(scene, yaw)
    sideways = float(np.linalg.norm(offset[:2]))
    misfit = sideways + 0.06 * float(np.abs(turn).max())
    above = -offset[2]
    # Fingers that are closing already go on where they would not have begun.
    closing = 0.010 * _ramp((OPEN - scene.width) / 0.010) * (scene.width > 0.002)
    if misfit < ALIGNED + closing and abs(above) < 0.008 + closing:
        return _join(_step(offset * (scene.width > OPEN), SLOW), turn, 1.0)
    shut = _ramp((OPEN - scene.width) / 0.020)
    rim = scene.thing.high[2] - point[2] + HOVER
    height = rim * max(_ramp((misfit - 0.6 * ALIGNED) / 0.020), shut)
    step = _step(offset + [0.0, 0.0, height], _speed(sideways, above - rim))
    # Beside the thing and below its top: rise first, go sideways after.
    step[:2] *= 1.0 - _ramp((height - above - 0.02) / 0.03)
    return _join(step, turn, 0.0)


def _deliver(scene: Scene, sideways: float) -> np.ndarray:
    offset = np.array([*(scene.goal.position - scene.origin[:2]), 0.0])
    bottom = scene.thing.low[2]
    far = _ramp((sideways - 0.012) / 0.04)
    height = _rest(scene) + (scene.goal.top + CLEAR - _rest(scene)) * far
    offset[2] = height - bottom
    step = _step(offset, _speed(sideways, offset[2]))
    step[:2] *= 1.0 - _ramp((offset[2] - 0.02) / 0.02)
    if scene.fingers_speed > 0.02:
        step[:] = 0.0
    return _join(step, _level(scene), 1.0)


def _rest(scene: Scene) -> float:
    """Return the height of the thing's bottom at which it is let go, m."""
    return scene.goal.top + (-0.02 if scene.goal.inside else 0.004)


def _speed(sideways: float, vertical: float) -> float:
    away = math.hypot(sideways, vertical)
    return SLOW + (FAST - SLOW) * _ramp((away - 0.02) / 0.08)


def _level(scene: Scene, yaw: float | None = None) -> np.ndarray:
    """Return the turn that points the hand down, rad; its yaw stays at a quarter if not told."""
    heading = math.atan2(scene.hand[1, 0], scene.hand[0, 0])
    if yaw is None:
        yaw = round(heading / (math.pi / 2)) * (math.pi / 2)
    # Half a turn more is the same to two fingers.
    yaw = heading + wrap(yaw - heading, math.pi)
    return np.clip(to_vector(yaw_matrix(yaw) @ DOWN @ scene.hand.T), -TURN, TURN)


def _step(offset: np.ndarray, speed: float) -> np.ndarray:
    distance = float(np.linalg.norm(offset))
    if distance < 1e-9:
        return np.zeros(3)
    return offset * (speed * math.tanh(GAIN * distance / speed) / distance)


def _ramp(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _join(step: np.ndarray, turn: np.ndarray, gripper: float) -> np.ndarray:
    return np.array([*step, *turn, gripper])
