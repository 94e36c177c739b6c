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

"""SimplerEnv's tasks through ManiSkill 3 on the CPU: `simpler:carrot`."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments import simpler_protocol as protocol
from vla_accel_ros.environments.contents import plain
from vla_accel_ros.environments.interface import Outcome, View
from vla_accel_ros.environments.optional import quiet
from vla_accel_ros.environments.simpler_expert import Scene, act
from vla_accel_ros.environments.simpler_import import (
    check_driver,
    import_maniskill,
    require_assets,
)

PREFIX = 'simpler'
_TOOL = 'ee_gripper_link'
_FINGERS = ('left_finger_link', 'right_finger_link')
# Of the tool, the way that the hand points.
_AHEAD = np.array([1.0, 0.0, 0.0])
# A thing whose sides differ by less has no long one, m.
_SQUARE = 0.005


class SimplerScene:
    """See `interface.Environment`; an episode lasts until its horizon, success or not.

    Args:
        kind: Which task.
        max_steps: Steps after which an episode is cut off; the task's own where None.

    Raises:
        ValueError: When ManiSkill, an asset or a driver is missing; says what to do.
    """

    mapping = protocol.MAPPING
    step_s = 1.0 / protocol.CONTROL_HZ

    def __init__(self, kind: SimplerKind, max_steps: int | None = None) -> None:
        self.name, self.cameras = kind.name, kind.cameras
        self._task = protocol.TASKS[kind.task]
        self._max_steps = max_steps or self._task.horizon
        self.env = _make(self._task)
        self._steps, self._ever = 0, False

    def reset(self, seed: int, instruction: str) -> None:
        """Begin an episode in one of the 24 layouts, which the seed picks."""
        with quiet():
            self.env.reset(seed=seed, options={'episode_id': seed % protocol.LAYOUTS})
        self._steps, self._ever = 0, False

    def observe(self) -> View:
        """Render this instant."""
        scene = self.env.unwrapped
        with quiet():
            sensors = type(scene).get_obs(scene)['sensor_data']
        return View(tuple(plain(sensors[name]['rgb']) for name in self.cameras))

    def step(self, action: np.ndarray) -> Outcome:
        """Let one step go by under an action, float64 [7]; renders nothing."""
        told = self.mapping.to_environment(action).astype(np.float32)
        *_, info = self.env.step(told)
        now = bool(plain(info['success']))
        self._ever |= now
        self._steps += 1
        return Outcome(self._steps >= self._max_steps, self._ever, now)

    def tool_position(self) -> np.ndarray:
        """Return the tool's position [3] in m."""
        link = self.env.unwrapped.agent.robot.links_map[_TOOL]
        return plain(link.pose.p).astype(np.float64)

    def expert_action(self) -> np.ndarray:
        """Return what the scripted expert does now, float64 [7]."""
        return act(self._scene())

    def _scene(self) -> Scene:
        scene = self.env.unwrapped
        robot = scene.agent.robot
        links = robot.links_map
        # Positions as seen from the arm's base, in whose frame actions are told.
        base = robot.pose.inv()
        thing, goal = (scene.objs[n].pose for n in (scene.source_obj_name, scene.target_obj_name))
        sizes = [
            plain(scene.episode_model_bbox_sizes[n]).astype(np.float64)
            for n in (scene.source_obj_name, scene.target_obj_name)
        ]
        turned, flat = (_rotation(base * pose) for pose in (thing, goal))
        half, below = (
            0.5 * float(np.abs(r[2]) @ size) for r, size in zip((turned, flat), sizes, strict=True)
        )
        left, right = (_place(base * links[name].pose) for name in _FINGERS)
        tool = base * links[_TOOL].pose
        across = right - left
        place = _place(base * goal)
        axis = turned[:, int(np.argmax(sizes[0]))]
        square = np.ptp(sizes[0]) < _SQUARE
        return Scene(
            _place(tool),
            math.atan2(across[1], across[0]),
            _rotation(tool) @ _AHEAD,
            float(plain(robot.qpos)[-2:].sum()),
            bool(plain(scene.agent.is_grasping(scene.objs[scene.source_obj_name]))),
            _place(base * thing),
            None if square else math.atan2(axis[1], axis[0]),
            half,
            place,
            float(place[2]) + below,
        )

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest action, float64 [7] each."""
        high = END_EFFECTOR.spread(protocol.FARTHEST, protocol.WIDEST, gripper=1.0)
        low = -high
        low[END_EFFECTOR.tool().gripper] = 0.0
        return low, high

    def picture(self) -> np.ndarray:
        """Return the view, uint8 [h, w, 3]."""
        return self.observe().images[0]

    def close(self) -> None:
        """Free the simulation."""
        self.env.close()


def _place(pose) -> np.ndarray:
    return plain(pose.p).astype(np.float64)


def _rotation(pose) -> np.ndarray:
    return plain(pose.to_transformation_matrix()).astype(np.float64)[:3, :3]


def _make(task: protocol.SimplerTask):
    import_maniskill()
    require_assets(task)
    check_driver()
    import gymnasium

    with quiet():
        env = gymnasium.make(
            task.env_id,
            obs_mode='rgb+segmentation',
            num_envs=1,
            sim_backend='physx_cpu',
            render_backend='cpu',
        )
    draw_when_asked(env.unwrapped)
    return env


def draw_when_asked(scene) -> None:
    """Keep `step` and `reset` of a scene of ManiSkill from drawing.

    Both ask the scene for an observation that nobody may look at. This one has none to give;
    its class still does.
    """
    scene.get_obs = lambda info=None, unflattened=False: {}


@dataclass(frozen=True)
class SimplerKind:
    """See `interface.EnvironmentKind`.

    Attributes:
        task: One of `simpler_protocol.TASKS`.
        cameras: Names of the views, ManiSkill's.
    """

    task: str
    cameras: tuple[str, ...] = (protocol.CAMERA,)

    @classmethod
    def parse(cls, name: str) -> SimplerKind:
        """Read the name of a task.

        Raises:
            ValueError: When there is none of that name; lists them.
        """
        if name not in protocol.TASKS:
            raise ValueError(
                f"SimplerEnv has no task '{name}' here, expected one of "
                f'{", ".join(protocol.TASKS)}'
            )
        return cls(name)

    @property
    def name(self) -> str:
        """As on the command line."""
        return f'{PREFIX}:{self.task}'

    @property
    def default_task(self) -> str:
        """What the policy is told."""
        return protocol.TASKS[self.task].instruction

    def instructions(self, task: str) -> tuple[str, ...]:
        """Return the words as they are: the task does not depend on them.

        Raises:
            ValueError: When there are none.
        """
        if not task.strip():
            raise ValueError(f'--task is empty, {self.name} is told: {self.default_task}')
        return (task.strip(),)

    def kind_of(self, instruction: str) -> str:
        """Return the task."""
        return self.task

    def make(self, image_size: int, max_steps: int | None) -> SimplerScene:
        """Build it; its pictures are 640 x 480, which the policy brings to its own size.

        Raises:
            ValueError: When ManiSkill, an asset or a driver is missing; says what to do.
        """
        return SimplerScene(self, max_steps)
