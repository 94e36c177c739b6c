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

"""What the expert for LIBERO is told of the simulation: boxes, the hand, and the goal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vla_accel_ros.sim.gl import import_mujoco

_TOOL = 'gripper0_grip_site'
_HAND = 'robot0_right_hand'
_FINGERS = ('gripper0_leftfinger', 'gripper0_rightfinger')
_ROBOT = ('robot0_', 'gripper0_', 'mount0_')
_SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
# Predicates that are done by picking up and letting go.
_PLACING = ('on', 'in')


class Box(NamedTuple):
    """An axis-aligned box, world frame, m: its lowest and its highest corner, [3] each."""

    low: np.ndarray
    high: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        """Its middle, [3] in m."""
        return 0.5 * (self.low + self.high)


class Goal(NamedTuple):
    """Where a thing is to go.

    Attributes:
        position: Over which point its origin is to be, [2] in m.
        top: Height of the rim or surface, m.
        inside: Whether it goes into something rather than onto it.
    """

    position: np.ndarray
    top: float
    inside: bool


class Scene(NamedTuple):
    """One instant.

    Attributes:
        tool: Position of the point between the fingertips, [3] in m.
        hand: Rotation of the hand, [3, 3]; `sim.rotations.DOWN` points down with the fingers
            opening along y.
        width: Distance between the fingers, m.
        fingers_speed: Of the faster finger, m/s.
        held: Whether both fingers touch the thing.
        origin: Position of the thing, [3] in m.
        thing: Its box.
        obstacles: Boxes of the collision shapes of everything else, [n, 2, 3] in m.
        goal: Where it is to go.
    """

    tool: np.ndarray
    hand: np.ndarray
    width: float
    fingers_speed: float
    held: bool
    origin: np.ndarray
    thing: Box
    obstacles: np.ndarray
    goal: Goal


class SceneReader:
    """Reads scenes out of one of LIBERO's environments, until its next reset.

    Args:
        env: `ControlEnv.env`.

    Raises:
        ValueError: When part of the task is not done by placing a thing.
    """

    def __init__(self, env) -> None:
        self._env = env
        self._model = env.sim.model._model
        self._data = env.sim.data._data
        self._goals = env.parsed_problem['goal_state']
        for goal in self._goals:
            if not _is_placing(env, goal):
                raise ValueError(f'no scripted expert does {" ".join(goal)}')
        mujoco = import_mujoco()
        name = mujoco.mj_id2name
        bodies = [
            name(self._model, mujoco.mjtObj.mjOBJ_BODY, b) or '' for b in range(self._model.nbody)
        ]
        self._bodies = {body: index for index, body in enumerate(bodies)}
        solid = (self._model.geom_contype != 0) | (self._model.geom_conaffinity != 0)
        robot = np.array([body.startswith(_ROBOT) for body in bodies])
        self._solid = np.flatnonzero(solid)
        self._other = np.flatnonzero(solid & ~robot[self._model.geom_bodyid])
        centre, half = self._model.geom_aabb[:, :3], self._model.geom_aabb[:, 3:]
        self._corners = centre[:, None] + _SIGNS * half[:, None]
        self._fingers = [self._geoms_of(finger) for finger in _FINGERS]
        self._tool = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_SITE, _TOOL)
        robots = env.robots[0]
        self._finger_joints = list(robots._ref_gripper_joint_pos_indexes)
        self._finger_speeds = list(robots._ref_gripper_joint_vel_indexes)

    def _geoms_of(self, body: str) -> np.ndarray:
        """List the collision shapes of a body and of all that hangs on it."""
        inside = np.zeros(self._model.nbody, dtype=bool)
        root = self._bodies[body]
        inside[root] = True
        for index in range(root + 1, self._model.nbody):
            inside[index] |= inside[self._model.body_parentid[index]]
        return self._solid[inside[self._model.geom_bodyid[self._solid]]]

    def _boxes(self, geoms: np.ndarray) -> np.ndarray:
        turned = np.einsum(
            'gij,gcj->gci', self._data.geom_xmat[geoms].reshape(-1, 3, 3), self._corners[geoms]
        )
        corners = turned + self._data.geom_xpos[geoms][:, None]
        return np.stack([corners.min(1), corners.max(1)], axis=1)

    def _box(self, geoms: np.ndarray) -> Box:
        boxes = self._boxes(geoms)
        return Box(boxes[:, 0].min(0), boxes[:, 1].max(0))

    def centre(self, name: str) -> np.ndarray | None:
        """Return the middle of a thing, [3] in m; None where it is not in this scene."""
        if name not in self._env.objects_dict:
            return None
        return self._box(self._geoms_of(self._env.objects_dict[name].root_body)).centre

    def _touches(self, some: np.ndarray, others: np.ndarray) -> bool:
        pairs = self._data.contact.geom[: self._data.ncon]
        first, second = np.isin(pairs, some), np.isin(pairs, others)
        return bool(((first[:, 0] & second[:, 1]) | (first[:, 1] & second[:, 0])).any())

    def read(self) -> Scene:
        """Return this instant; of several goals the first that is not reached yet."""
        goals = [g for g in self._goals if not self._env._eval_predicate(g)] or self._goals[-1:]
        _, name, place = goals[0]
        body = self._env.objects_dict[name].root_body
        geoms = self._geoms_of(body)
        fingers = self._data.qpos[self._finger_joints]
        return Scene(
            tool=self._data.site_xpos[self._tool].copy(),
            hand=self._data.xmat[self._bodies[_HAND]].reshape(3, 3).copy(),
            width=float(fingers[0] - fingers[1]),
            fingers_speed=float(np.abs(self._data.qvel[self._finger_speeds]).max()),
            held=all(self._touches(finger, geoms) for finger in self._fingers),
            origin=self._data.xpos[self._bodies[body]].copy(),
            thing=self._box(geoms),
            obstacles=self._boxes(np.setdiff1d(self._other, geoms)),
            goal=self._goal(goals[0][0] == 'in', place),
        )

    def _goal(self, inside: bool, place: str) -> Goal:
        env = self._env
        if place in env.objects_dict:
            body = env.objects_dict[place].root_body
            box = self._box(self._geoms_of(body))
            return Goal(self._data.xpos[self._bodies[body]][:2].copy(), box.high[2], inside)
        position = np.array(env.sim.data.get_site_xpos(place))
        parent = env.object_sites_dict[place].parent_name
        top = position[2]
        if inside:
            top = self._box(self._geoms_of(env.objects_dict[parent].root_body)).high[2]
        return Goal(position[:2], top, inside)


def _is_placing(env, goal: list[str]) -> bool:
    if len(goal) != 3 or goal[0] not in _PLACING or goal[1] not in env.objects_dict:
        return False
    if goal[2] in env.objects_dict:
        return True
    region = env.object_sites_dict.get(goal[2])
    # Into a drawer or a microwave a hand that points down does not reach.
    return region is not None and (goal[0] == 'on' or region.parent_name in env.objects_dict)
