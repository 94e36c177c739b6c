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

"""Actions, requests and decisions to standard messages and back.

An action or chunk is a `trajectory_msgs/JointTrajectory`: `joint_names` are the columns, one
point a policy step, `positions` that step's values in the units of the columns,
`time_from_start` of point k is (k + 1) steps, the stamp is that of the observation answered and
`frame_id` the base frame. The first point of a chunk may carry the statistics of the inference
as `effort`, in the order of `ChunkStats`.

A request is one too: the last action (the arm's motion), the draft to verify, and a point a row
for what is left of the old chunk; of the first two a point without positions means there is none.
The draft's `effort` is the delay that is expected, in actions. The `frame_id` is the instruction,
so that it travels with the stamp that it belongs to.

Messages that do not hold to this raise a ValueError that names what is wrong. NaN and Inf in an
action or a chunk are passed on: refusing them, with a reason, is the business of `safety` and
`scheduling`. What a request holds goes straight to the model, so it is checked here.
"""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import NamedTuple

from builtin_interfaces.msg import Duration, Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
import numpy as np
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action, ActionChunk
from vla_accel_ros.inputs.instructions import check_instruction
from vla_accel_ros.inputs.trajectories import (
    NS,
    check_columns,
    message_step,
    message_to_action,
    message_to_chunk,
    to_ns,
)
from vla_accel_ros.scheduling.decision import Decision, Kind, Request

__all__ = [
    'NS',
    'ChunkStats',
    'check_motion',
    'chunk_to_message',
    'decision_to_message',
    'from_ns',
    'message_stats',
    'message_step',
    'message_to_action',
    'message_to_chunk',
    'message_to_decision',
    'message_to_request',
    'request_to_message',
    'to_ns',
]

# Wider than any limit that arm_command can be given: beyond it no robot moves in a step.
MAX_STEP_M, MAX_STEP_RAD = 1.0, math.pi
MAX_ROWS = 1000
# What rounding to float32 may add to a gripper of 0 or 1.
GRIPPER_SLACK = 1e-3


class ChunkStats(NamedTuple):
    """What an inference cost; the `effort` of a chunk's first point.

    Attributes:
        keep_ratio: Visual tokens kept / visual tokens.
        model_s: Seconds that the model took.
        passes: Decoding passes of the language model.
        accepted: Draft tokens accepted.
    """

    keep_ratio: float
    model_s: float
    passes: float
    accepted: float


def from_ns(stamp_ns: int) -> Time:
    """Return integer nanoseconds as a stamp.

    Raises:
        ValueError: When the stamp does not fit the message's 32 bit seconds.
    """
    sec, nanosec = divmod(int(stamp_ns), NS)
    if not -(1 << 31) <= sec < 1 << 31:
        raise ValueError(f'stamp is {stamp_ns} ns, which no ROS stamp holds')
    return Time(sec=sec, nanosec=nanosec)


def chunk_to_message(
    chunk: Action | ActionChunk, step_s: float, frame_id: str, stats: ChunkStats | None = None
) -> JointTrajectory:
    """Write an action or a chunk.

    Args:
        chunk: The action, or the chunk of n actions.
        step_s: Seconds of one action.
        frame_id: The base frame.
        stats: What the inference cost.
    """
    message = _trajectory(chunk.stamp_ns, frame_id, chunk.space)
    rows = np.atleast_2d(chunk.values).tolist()
    message.points = [_point(row, (k + 1) * step_s) for k, row in enumerate(rows)]
    if stats is not None:
        message.points[0].effort = [float(value) for value in stats]
    return message


def message_stats(message: JointTrajectory) -> ChunkStats | None:
    """Return what the inference cost, None when the message does not say.

    Raises:
        ValueError: When there are statistics, but not as many as there should be, or one is
            negative or not finite.
    """
    effort = list(message.points[0].effort) if message.points else []
    if not effort:
        return None
    if len(effort) != len(ChunkStats._fields):
        raise ValueError(
            f'effort has {len(effort)} values, expected {", ".join(ChunkStats._fields)}'
        )
    if not all(0 <= value < math.inf for value in effort):
        raise ValueError(f'effort is {effort}, expected finite values of 0 or more')
    return ChunkStats(*effort)


def check_motion(
    rows: np.ndarray, what: str = 'the answer', space: ActionSpace = END_EFFECTOR
) -> None:
    """Check that rows of actions are of this world; NaN and Inf are somebody else's to refuse.

    Absolute positions may be any, for they are no motion.

    Args:
        rows: float64 [n, width], columns as the space says.
        what: Whose they are, for the message.
        space: What the columns are.

    Raises:
        ValueError: When there are too many, or a value is one that no policy means.
    """
    if len(rows) > MAX_ROWS:
        raise ValueError(f'{what} has {len(rows)} rows, expected at most {MAX_ROWS}')
    low = space.spread(-MAX_STEP_M, -MAX_STEP_RAD, -GRIPPER_SLACK)
    high = space.spread(MAX_STEP_M, MAX_STEP_RAD, 1 + GRIPPER_SLACK)
    low[space.positions], high[space.positions] = -math.inf, math.inf
    wrong = np.isfinite(rows) & ((rows < low) | (rows > high))
    if wrong.any():
        row, column = map(int, np.argwhere(wrong)[0])
        is_gripper = column in space.grippers
        expected = '0 to 1' if is_gripper else f'{low[column]:.4g} to {high[column]:.4g}'
        raise ValueError(
            f'{what} has {space.names[column]} = {rows[row, column]:.4g} in row {row}, '
            f'expected {expected}'
        )


def request_to_message(
    request: Request, step_s: float, space: ActionSpace = END_EFFECTOR
) -> JointTrajectory:
    """Write a request to the VLA.

    Args:
        request: The request.
        step_s: Seconds of one action.
        space: What the columns of its last action and its draft are.
    """
    message = _trajectory(request.stamp_ns, request.instruction, space)
    last = [] if request.last_action is None else request.last_action.values.tolist()
    draft = [] if request.draft is None else np.asarray(request.draft).tolist()
    tail = [] if request.tail is None else request.tail.tolist()
    message.points = [_point(last, 0.0), _point(draft, step_s)]
    message.points[1].effort = [float(request.delay)]
    message.points += [_point(row, (k + 1) * step_s) for k, row in enumerate(tail)]
    return message


def message_to_request(message: JointTrajectory, space: ActionSpace = END_EFFECTOR) -> Request:
    """Read a request to the VLA.

    Args:
        message: The trajectory.
        space: What its columns must be.

    Raises:
        ValueError: When there are less than two points, or one has another width than the columns
            (the first two may be empty), when a value is not finite or none that a policy means,
            the delay is no whole number, or the instruction is empty or too long.
    """
    check_columns(message, space)
    instruction = message.header.frame_id
    check_instruction(instruction)
    if len(message.points) < 2:
        raise ValueError(f'a request has 2 points or more, this message has {len(message.points)}')
    last, draft = (
        _request_rows([point], name, space, optional=True)
        for point, name in zip(message.points, ('last action', 'draft'), strict=False)
    )
    tail = _request_rows(message.points[2:], 'old chunk', space)
    stamp_ns = to_ns(message.header.stamp)
    return Request(
        stamp_ns,
        instruction,
        Action(last[0], stamp_ns, space=space) if len(last) else None,
        draft[0] if len(draft) else None,
        tail if len(tail) else None,
        _delay(message.points[1]),
    )


def _request_rows(
    points: Sequence[JointTrajectoryPoint], what: str, space: ActionSpace, optional: bool = False
) -> np.ndarray:
    """Read rows of a request; an `optional` one may be empty."""
    rows = [list(point.positions) for point in points]
    for row in rows:
        if len(row) != space.width and (row or not optional):
            expected = f'0 or {space.width}' if optional else space.width
            raise ValueError(f'the {what} has {len(row)} positions, expected {expected}')
        if not all(map(math.isfinite, row)):
            raise ValueError(f'the {what} is {row}, expected finite values')
    found = np.array([row for row in rows if row], dtype=np.float64).reshape(-1, space.width)
    check_motion(found, f'the {what}', space)
    return found


def _delay(point: JointTrajectoryPoint) -> int:
    said = list(point.effort) or [0.0]
    if len(said) != 1 or not (math.isfinite(said[0]) and said[0] >= 0 and said[0] % 1 == 0):
        raise ValueError(f'the delay is {said}, expected one whole number of 0 or more')
    return int(said[0])


def decision_to_message(
    decision: Decision, name: str, stats: ChunkStats | None = None, age_s: float | None = None
) -> DiagnosticStatus:
    """Write a decision; the keys of its values are the interface for viewers.

    Args:
        decision: What was decided.
        name: The deciding node's full name.
        stats: What the inference behind it cost.
        age_s: Seconds from the observation's capture to the decision.
    """
    values = {
        'kind': decision.kind.value,
        'reason': decision.reason,
        'stamp_ns': str(decision.stamp_ns),
        'source': decision.action.source.value if decision.action else '',
        'speed_m_s': f'{decision.speed:.5f}',
        'angular_speed_rad_s': f'{decision.angular_speed:.5f}',
        'age_ms': _ms(age_s),
        'latency_ms': _ms(decision.latency_s),
        'in_flight_ms': _ms(decision.in_flight_s),
        'consumed': str(decision.consumed),
        'queued': str(decision.queued),
        'keep_ratio': f'{stats.keep_ratio:.4f}' if stats else '',
        'model_ms': _ms(stats.model_s) if stats else '',
        'passes': f'{stats.passes:g}' if stats else '',
        'accepted': f'{stats.accepted:g}' if stats else '',
    }
    warn = decision.kind is Kind.DISCARDED
    return DiagnosticStatus(
        level=DiagnosticStatus.WARN if warn else DiagnosticStatus.OK,
        name=f'{name}: decision',
        message=f'{decision.kind.value}: {decision.reason}',
        hardware_id='vla_accel_ros',
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )


def message_to_decision(message: DiagnosticStatus) -> dict[str, str]:
    """Return a decision's values by key, as `decision_to_message` wrote them.

    Raises:
        ValueError: When it is no decision.
    """
    values = {pair.key: pair.value for pair in message.values}
    missing = [key for key in ('kind', 'reason', 'stamp_ns') if key not in values]
    if missing:
        raise ValueError(f'status {message.name!r} has no {", ".join(missing)}')
    return values


def _trajectory(stamp_ns: int, frame_id: str, space: ActionSpace) -> JointTrajectory:
    message = JointTrajectory(joint_names=list(space.names))
    message.header.stamp = from_ns(stamp_ns)
    message.header.frame_id = frame_id
    return message


def _point(row: Sequence[float], seconds: float) -> JointTrajectoryPoint:
    sec, nanosec = divmod(round(seconds * NS), NS)
    return JointTrajectoryPoint(positions=row, time_from_start=Duration(sec=sec, nanosec=nanosec))


def _ms(seconds: float | None) -> str:
    return '' if seconds is None else f'{seconds * 1e3:.3f}'
