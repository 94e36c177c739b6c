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

"""The robots that the simulated arm can be: what each takes and tells, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vla_accel_ros.nodes.arm_command_kind import TRAJECTORY, TWIST
from vla_accel_ros.nodes.sim_arm_settings import GRIPPERS, IMAGES, ONE_ARM, POSES, TWO_ARMS
from vla_accel_ros.sim.description import JOINT_NAMES, urdf
from vla_accel_ros.sim.tasks import parse

CAMERAS = ('agent', 'wrist')
FINGERS = ('finger_joint1', 'finger_joint2')
JOINTS = (*JOINT_NAMES, *FINGERS)
TOOL = ('ee_x', 'ee_y', 'ee_z', 'ee_rx', 'ee_ry', 'ee_rz', 'finger_width', 'gripper')


@dataclass(frozen=True)
class Robot:
    """What the node has to know of a robot beside its simulation.

    Attributes:
        env: The simulation.
        joints: Names of the joints that are commanded, in order.
        states: Names in `joint_states`.
        proprio: Names of what `proprio` has beside those.
        grippers: Topic of each gripper's command.
        cameras: Topics by camera.
        poses: Topic of each tool's pose.
        describe: Gives the description (URDF).
        restart: Puts the simulation at a start, by seed and task.
    """

    env: object
    joints: tuple[str, ...]
    states: tuple[str, ...]
    proprio: tuple[str, ...]
    grippers: tuple[str, ...]
    cameras: Mapping[str, str]
    poses: tuple[str, ...]
    describe: Callable[[], str]
    restart: Callable[[int, str], object]


def check_robot(settings: Mapping[str, object]) -> None:
    """Refuse what the robot does not know.

    Raises:
        ValueError: When it has no such task, or takes no such command.
    """
    if settings['robot'] == ONE_ARM:
        if settings['task']:
            parse(settings['task'])
        return
    if settings['command'] == TWIST:
        raise ValueError(
            f"command is '{TWIST}' and robot '{TWO_ARMS}', expected a command of joints, such as "
            f"'{TRAJECTORY}'"
        )
    if settings['task']:
        raise ValueError(
            f"task is '{settings['task']}' and robot '{TWO_ARMS}', expected none: it has no tasks"
        )


def make_robot(settings: Mapping[str, object]) -> Robot:
    """Make the robot that the parameters name, with its simulation."""
    size, coarse = settings['image_size'], settings['coarse']
    if settings['robot'] == TWO_ARMS:
        return _two_arms(size, coarse)
    # Loads MuJoCo and OpenGL, which a node that is never configured does without.
    from vla_accel_ros.sim.env import TabletopEnv

    env = TabletopEnv(image_size=size, cameras=CAMERAS, coarse=coarse)
    return Robot(
        env,
        JOINT_NAMES,
        JOINTS,
        TOOL,
        GRIPPERS[ONE_ARM],
        dict(zip(CAMERAS, IMAGES[ONE_ARM], strict=True)),
        POSES[ONE_ARM],
        urdf,
        lambda seed, task: env.reset(seed=seed, options={'task': task or None}),
    )


def _two_arms(size: int, coarse: bool) -> Robot:
    from vla_accel_ros.sim import two_arms

    env = two_arms.TwoArms(size, coarse)
    return Robot(
        env,
        two_arms.JOINT_NAMES,
        tuple(
            f'{side}_{name}'
            for side in two_arms.SIDES
            for name in (*two_arms.ARM_JOINTS, *FINGERS)
        ),
        two_arms.GRIPPERS,
        GRIPPERS[TWO_ARMS],
        dict(zip(two_arms.CAMERAS, IMAGES[TWO_ARMS], strict=True)),
        POSES[TWO_ARMS],
        two_arms.two_arms_urdf,
        lambda seed, _task: env.reset(seed=seed),
    )
