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
"""MoveIt Pro's `GetActionChunk`: its request as an observation, a chunk of joints as its response.

Messages are read and filled by their fields, so that whatever has these fields will do. As the
contract has it the chunk is of absolute joint positions, the robot's names, the gripper last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.inputs.pictures import image_to_array
from vla_accel_ros.models.heads.continuation import OFF, Continuation
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import NotFiniteError, Prediction
from vla_accel_ros.observations import Observation

PRODUCED, ERROR = 'CHUNK_PRODUCED', 'ERROR'
# How a request for continuity is met where the method does not say.
GUIDED = 'exp'
MOST_ROWS = 1024


class ChunkRequestError(ValueError):
    """A request that cannot be answered; the message names the field, value and expectation."""


@dataclass(frozen=True)
class Robot:
    """How the robot's names and numbers go with the checkpoint's columns.

    Attributes:
        space: The checkpoint's columns, joints and grippers.
        joints: The robot's joint of each column.
        views: Name of the request's picture for each view of the checkpoint.
        gripper: Positions of a gripper's joint when open, and when closed.
        state: The robot's joints that are the checkpoint's proprioception, in its order.

    Raises:
        ValueError: When the columns are no joints, or the names do not go with them.
    """

    space: ActionSpace
    joints: tuple[str, ...]
    views: tuple[str, ...]
    gripper: tuple[float, float] = (0.0, 1.0)
    state: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        space = self.space
        if not len(space.moving) or any(part.kind.is_vector for part in space.parts):
            raise ValueError(f'{space!r} has tools or no joints, expected joints and grippers')
        if len(self.joints) != space.width or len(set(self.joints)) < space.width:
            raise ValueError(
                f'the joints are {", ".join(self.joints)}, expected one of its own for each of '
                f'{", ".join(space.names)}'
            )
        opened, closed = self.gripper
        if opened == closed or not np.isfinite(self.gripper).all():
            raise ValueError(
                f'the gripper is open at {opened:g} and closed at {closed:g}, expected two '
                'different positions'
            )

    def positions(self, rows: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Give the joints' absolute positions.

        Args:
            rows: float64 [n, width], actions.
            measured: float64 [width], where the joints are; the grippers' are not asked for.

        Returns:
            float64 [n, width], rad or m.
        """
        space, (opened, closed) = self.space, self.gripper
        found = rows.copy()
        moved = space.displacements
        found[:, moved] = measured[moved] + np.cumsum(rows[:, moved], axis=0)
        found[:, space.grippers] = opened + rows[:, space.grippers] * (closed - opened)
        return found


def read_state(message: Any, names: Sequence[str]) -> np.ndarray:
    """Read the positions of joints by name.

    Args:
        message: `robot_state`, with the fields of `sensor_msgs/JointState`.
        names: The joints wanted, in their order.

    Returns:
        float64 [names].

    Raises:
        ChunkRequestError: When a joint is missing, comes twice, or is not finite.
    """
    given, values = list(message.name), list(message.position)
    if len(given) != len(values):
        raise ChunkRequestError(f'robot_state has {len(values)} positions for {len(given)} names')
    if len(set(given)) < len(given):
        raise ChunkRequestError(f'robot_state names a joint twice: {", ".join(given)}')
    known = dict(zip(given, values, strict=True))
    if lacking := [name for name in names if name not in known]:
        raise ChunkRequestError(
            f'robot_state has no {", ".join(lacking)}, only {", ".join(given) or "no joint"}'
        )
    found = np.array([known[name] for name in names], dtype=np.float64)
    if not np.isfinite(found).all():
        raise ChunkRequestError(f'robot_state is {found.tolist()}, expected finite positions')
    return found


class ChunkSession:
    """Answers the requests of one robot.

    An episode begins where the request says so, and with another prompt.

    Args:
        policy: A policy of joints, with its method.
        robot: How the robot goes with it.
        step_s: Seconds of a policy step.
        continuation: How a chunk goes on from the one before it, as the method says.
        new_point: Makes a `trajectory_msgs/JointTrajectoryPoint`.
        new_dimension: Makes a `std_msgs/MultiArrayDimension`.
        say: Told what a request failed with that is a defect of ours.
    """

    def __init__(
        self,
        policy: Policy,
        robot: Robot,
        step_s: float,
        continuation: Continuation,
        new_point: Callable[[], Any],
        new_dimension: Callable[[], Any],
        say: Callable[[str], object],
    ) -> None:
        if len(robot.views) != policy.cameras:
            raise ValueError(
                f'the pictures are {", ".join(robot.views)}, the checkpoint wants '
                f'{policy.cameras} views'
            )
        wanted = policy.config.proprio
        if len(robot.state) != wanted:
            raise ValueError(
                f'the state is {", ".join(robot.state) or "empty"}, the checkpoint wants {wanted} '
                'numbers'
            )
        self._policy, self._robot, self._step_s = policy, robot, step_s
        self._continuation = continuation
        self._new_point, self._new_dimension, self._say = new_point, new_dimension, say
        self._prompt = ''

    def answer(self, request: Any, response: Any) -> Any:
        """Answer a request.

        Args:
            request: With the contract's fields.
            response: With the contract's fields, which are filled. What cannot be answered is an
                error with its reason, and an empty chunk.

        Returns:
            The response.
        """
        try:
            self._fill(response, *self._predict(request))
            return response
        except (ValueError, NotFiniteError) as error:
            why = str(error)
        except Exception as error:
            # The arm waits for an answer: one that never comes holds it until the caller's limit.
            why = repr(error)
            self._say(why)
        # Half an episode is none: the next request begins anew.
        self._prompt = ''
        failed = type(response)()
        failed.status, failed.message = getattr(type(response), ERROR), why
        return failed

    def _predict(self, request: Any) -> tuple[Prediction, np.ndarray]:
        robot, policy = self._robot, self._policy
        observation = Observation(
            self._views(request),
            self._instruction(request),
            proprio=read_state(request.robot_state, robot.state) if robot.state else None,
        )
        measured = np.zeros(robot.space.width)
        moving = robot.space.moving
        measured[moving] = read_state(request.robot_state, [robot.joints[i] for i in moving])
        tail, delay, rows = self._before(request)
        if request.new_episode or observation.instruction != self._prompt:
            policy.reset()
            tail, delay = None, 0
        self._prompt = ''
        self._policy.set_continuation(**vars(self._continued(tail is not None, rows)))
        found = policy.predict(observation, tail=tail, delay=delay)
        self._prompt = observation.instruction
        return found, robot.positions(found.chunk_values, measured)

    def _continued(self, goes_on: bool, rows: int) -> Continuation:
        """Say how a chunk goes on from another up to a row; 0 for as far as the method says."""
        settings = self._continuation
        if not goes_on:
            return settings
        rtc = GUIDED if settings.rtc == OFF else settings.rtc
        return replace(settings, rtc=rtc, rtc_rows=rows or settings.rtc_rows)

    def _views(self, request: Any) -> tuple[np.ndarray, ...]:
        names, pictures = list(request.image_names), list(request.images)
        if len(names) != len(pictures) or len(set(names)) < len(names):
            raise ChunkRequestError(
                f'image_names are {", ".join(names) or "empty"} for {len(pictures)} images, '
                'expected one name for each'
            )
        found = []
        for view in self._robot.views:
            if view not in names:
                raise ChunkRequestError(
                    f'image_names has no {view}, only {", ".join(names) or "no name"}'
                )
            try:
                found.append(image_to_array(pictures[names.index(view)]))
            except ValueError as error:
                raise ChunkRequestError(f'image {view}: {error}') from None
        return tuple(found)

    def _instruction(self, request: Any) -> str:
        words = request.prompt.strip()
        if not words:
            raise ChunkRequestError('prompt is empty, expected an instruction in words')
        return str(words)

    def _before(self, request: Any) -> tuple[np.ndarray | None, int, int]:
        """Read what is left of the chunk under way, its frozen rows, and up to where it guides."""
        array = request.previous_action_chunk
        values = np.asarray(array.data, dtype=np.float64)[array.layout.data_offset :]
        delay, horizon = int(request.frozen_prefix_steps), int(request.guidance_horizon)
        width = self._robot.space.width
        if not 0 <= delay <= MOST_ROWS or not 0 <= horizon <= MOST_ROWS:
            raise ChunkRequestError(
                f'frozen_prefix_steps is {delay} and guidance_horizon {horizon}, expected 0 to '
                f'{MOST_ROWS}'
            )
        if not len(values):
            return None, 0, 0
        sizes = [each.size for each in array.layout.dim]
        if len(sizes) != 2 or sizes[1] != width or sizes[0] * width != len(values):
            raise ChunkRequestError(
                f'previous_action_chunk has {len(values)} numbers in {sizes}, expected [steps, '
                f'{width}]'
            )
        if not np.isfinite(values).all():
            raise ChunkRequestError('previous_action_chunk has NaN or infinity')
        rows = values.reshape(-1, width)
        # A slow answer outlasts a chunk that is nearly over: no more than what is left is frozen.
        delay = min(delay, len(rows))
        return rows, delay, delay + horizon if horizon else 0

    def _fill(self, response: Any, found: Prediction, positions: np.ndarray) -> None:
        response.chunk.joint_names = list(self._robot.joints)
        for row in positions.tolist():
            point = self._new_point()
            point.positions = row
            response.chunk.points.append(point)
        echo, values = response.policy_action_chunk, found.chunk_values
        for label, size, stride in (
            ('steps', len(values), values.size),
            ('width', values.shape[1], values.shape[1]),
        ):
            dimension = self._new_dimension()
            dimension.label, dimension.size, dimension.stride = label, size, stride
            echo.layout.dim.append(dimension)
        echo.data = values.ravel().tolist()
        response.native_control_period = self._step_s
        response.message = ''
        response.status = getattr(type(response), PRODUCED)
