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

from collections.abc import Iterator
import math

import numpy as np

from vla_accel_ros.environments.libero_scene import Box, Scene
from vla_accel_ros.sim.motion import ramp, toward
from vla_accel_ros.sim.rotations import DOWN, to_vector, wrap, yaw_matrix

# What OSC_POSE is told, m a step; it does about a quarter of it.
FAST = 0.050
SLOW = 0.018
LIFT = 0.040
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
# What is wider than this both ways is held by its rim, so far inside its outer edge, m.
WIDE = 0.075
RIM = 0.016
# How far below the top it is held, m; the last is by the fingertips only, over what stands beside.
DEPTHS = (0.035, 0.018, -0.001)
HOVER = 0.060
CLEAR = 0.070
# Over what is met on the way; how far ahead and beside the thing that is looked for.
MARGIN = 0.040
AHEAD = 0.08
BESIDE = 0.005
ALIGNED = 0.010
# How the hand may be turned about z, rad. With half a turn more it would hold the same, but the
# wrist cannot turn so far, and a policy that is shown turns in both directions learns their mean.
YAWS = (0.0, -math.pi / 2)


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
        return _join(toward(up * (scene.width > OPEN), SLOW, GAIN), _level(scene), 0.0)
    return _grasp(scene, *grip(scene))


def grip(scene: Scene) -> tuple[np.ndarray, float]:
    """Return where to hold the thing, [3] in m, and how far the hand is turned about z, rad.

    Of all ways to hold it the first is taken in which hand and fingers touch nothing else, here
    and where it is let go, or the one that touches least.
    """
    box, goal = scene.thing, scene.goal
    ways = list(_ways(box, goal.position))
    way = np.array([*(goal.position - scene.origin[:2]), _rest(scene) - box.low[2]])
    # What it is put on or into is no obstacle.
    there = scene.obstacles[scene.obstacles[:, 1, 2] > goal.top + BESIDE]
    costs = [
        (
            round(_overlap(scene.obstacles, point, yaw), 4),
            round(_overlap(there, point + way, yaw), 4),
        )
        for point, yaw in ways
    ]
    return ways[min(range(len(ways)), key=costs.__getitem__)]


def _ways(box: Box, goal: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """List how a thing can be held, best first: deep, in its middle, nearest to where it goes."""
    centre, half = box.centre, 0.5 * (box.high - box.low)
    can_be_spanned = half[:2].min() < 0.5 * WIDE
    for depth in DEPTHS:
        for yaw in YAWS:
            opening, along = (1, 0) if yaw == 0.0 else (0, 1)
            narrow = half[opening] < 0.5 * WIDE
            # It may be solid, and then has no rim: it is held across its narrow side only.
            if can_be_spanned and not narrow:
                continue
            height = max(box.high[2] - depth, centre[2] if narrow else -np.inf)
            point = np.array([centre[0], centre[1], max(height, box.low[2] + TIPS)])
            if narrow:
                reach = max(half[along] - 0.012, 0.0)
                axis, shifts = along, sorted(np.linspace(-reach, reach, 9), key=abs)
            else:
                side = 1.0 if goal[opening] > centre[opening] else -1.0
                reach = side * (half[opening] - RIM)
                axis, shifts = opening, [reach, -reach]
            for shift in shifts:
                yield point + shift * np.eye(3)[axis], yaw


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
    closing = 0.010 * ramp((OPEN - scene.width) / 0.010)
    empty = scene.width < 0.002
    if not empty and misfit < ALIGNED + closing and abs(above) < 0.008 + closing:
        return _join(toward(offset * (scene.width > OPEN), SLOW, GAIN), turn, 1.0)
    shut = ramp((OPEN - scene.width) / 0.020)
    rim = scene.thing.high[2] - point[2] + HOVER
    height = rim * max(ramp((misfit - 0.6 * ALIGNED) / 0.020), shut)
    step = toward(offset + [0.0, 0.0, height], _speed(sideways, above - rim), GAIN)
    # Beside the thing and below its top: rise first, go sideways after.
    low = ramp((height - above - 0.02) / 0.03)
    step = step * (1.0 - low) + [0.0, 0.0, LIFT * low]
    return _join(step, turn, 0.0)


def _deliver(scene: Scene, sideways: float) -> np.ndarray:
    offset = np.array([*(scene.goal.position - scene.origin[:2]), 0.0])
    bottom = scene.thing.low[2]
    far = ramp((sideways - 0.012) / 0.04)
    clear = max(scene.goal.top + CLEAR, _way_top(scene, offset[:2]) + MARGIN)
    offset[2] = _rest(scene) + (clear - _rest(scene)) * far - bottom
    # Below what stands in the way: straight up, slowly while it leaves what it lay on.
    low = ramp((offset[2] - 0.025) / 0.03)
    up = SLOW + (LIFT - SLOW) * ramp((bottom - _under(scene)) / 0.03)
    step = toward(offset, _speed(sideways, offset[2]), GAIN) * (1.0 - low)
    step[2] += up * low
    if scene.fingers_speed > 0.02:
        step[:] = 0.0
    return _join(step, _level(scene), 1.0)


def _way_top(scene: Scene, offset: np.ndarray) -> float:
    """Return the height over which the thing's bottom passes what stands on its way, m.

    What is met on the next piece of the way, by the thing or by the hand above it.
    """
    ahead = offset * min(AHEAD / max(float(np.linalg.norm(offset)), 1e-9), 1.0)
    palm = np.array(PALM_HALF if _turned(scene) else PALM_HALF[::-1])
    tool, box = scene.tool, scene.thing
    above = tool[2] + PALM - box.low[2]
    top = 0.0
    for first, last, lift in (
        (box.low[:2], box.high[:2], 0.0),
        (tool[:2] - palm, tool[:2] + palm, above),
    ):
        low = first + np.minimum(ahead, 0.0) - BESIDE
        high = last + np.maximum(ahead, 0.0) + BESIDE
        boxes = scene.obstacles
        met = ((boxes[:, 0, :2] < high) & (boxes[:, 1, :2] > low)).all(1)
        top = max(top, float(boxes[met, 1, 2].max(initial=0.0)) - lift)
    return top


def _under(scene: Scene) -> float:
    """Return the height of what lies under the middle of the thing, m."""
    middle, bottom = scene.thing.centre, scene.thing.low[2]
    boxes = scene.obstacles
    over = ((boxes[:, 0] < middle) & (boxes[:, 1] > middle))[:, :2].all(1)
    below = boxes[over & (boxes[:, 1, 2] < bottom + 0.01), 1, 2]
    return float(below.max(initial=0.0))


def _rest(scene: Scene) -> float:
    """Return the height of the thing's bottom at which it is let go, m."""
    return scene.goal.top + (-0.02 if scene.goal.inside else 0.004)


def _speed(sideways: float, vertical: float) -> float:
    away = math.hypot(sideways, vertical)
    return SLOW + (FAST - SLOW) * ramp((away - 0.02) / 0.08)


def _level(scene: Scene, yaw: float | None = None) -> np.ndarray:
    """Return the turn that points the hand down, rad; where its yaw is not told it stays."""
    yaw = YAWS[_turned(scene)] if yaw is None else yaw
    return np.clip(to_vector(yaw_matrix(yaw) @ DOWN @ scene.hand.T), -TURN, TURN)


def _turned(scene: Scene) -> int:
    """Return which of `YAWS` the hand is nearest to."""
    heading = math.atan2(scene.hand[1, 0], scene.hand[0, 0])
    return min(range(len(YAWS)), key=lambda index: abs(wrap(YAWS[index] - heading, 2 * math.pi)))


def _join(step: np.ndarray, turn: np.ndarray, gripper: float) -> np.ndarray:
    return np.array([*step, *turn, gripper])
