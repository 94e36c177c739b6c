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
"""`vla-accel serve --chunk-service`: the policy as MoveIt Pro's `GetActionChunk`, over ROS."""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
import sys
from typing import TYPE_CHECKING, Any

from vla_accel_ros.acceleration import Method
from vla_accel_ros.acceleration.method import CONTINUATION

if TYPE_CHECKING:
    from vla_accel_ros.models.policy import Policy


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument_group(
        "MoveIt Pro's service in the place of openpi's protocol; lists of names have commas"
    ).add_argument
    add(
        '--chunk-service',
        default='',
        metavar='NAME',
        help='serve GetActionChunk over ROS under this name; wants a checkpoint of joints and the '
        'package moveit_pro_ml_msgs',
    )
    add('--image-names', default='', metavar='A,B', help='pictures of a request, view by view')
    add(
        '--joint-names',
        default='',
        metavar='A,B',
        help="the robot's joint of each column, where it is not called as the column",
    )
    add(
        '--state-names',
        default='',
        metavar='A,B',
        help="the robot's joints that are the proprioception, where they are not all of them",
    )
    add(
        '--gripper-positions',
        type=float,
        nargs=2,
        default=(0.0, 1.0),
        metavar=('OPEN', 'CLOSED'),
        help="of a gripper's joint (0 1)",
    )


def serve(
    args: argparse.Namespace, policy: Policy, method: Method, name: str, say: Callable
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        args: The command line.
        policy: With its method.
        method: Which one that is.
        name: Of the checkpoint.
        say: Told what goes wrong.

    Raises:
        ValueError: When the checkpoint, the names or the message package will not do.
    """
    from vla_accel_ros.models.heads.continuation import Continuation
    from vla_accel_ros.models.serving import check_space
    from vla_accel_ros.nodes import action_chunk
    from vla_accel_ros.remote.action_chunk import ChunkSession, Robot

    kind = action_chunk.contract()
    check_space(policy)
    joints = _names(args.joint_names) or policy.space.names
    views = _names(args.image_names)
    if not views:
        raise ValueError(
            f'--image-names is empty, expected the {policy.cameras} pictures of a request'
        )
    state = _names(args.state_names) or (joints if policy.config.proprio else ())
    robot = Robot(policy.space, joints, views, tuple(args.gripper_positions), state)
    continuation = Continuation(**{key: getattr(method, key) for key in CONTINUATION})
    session = ChunkSession(
        policy, robot, args.policy_step, continuation, **action_chunk.makers(), say=say
    )

    def started() -> None:
        told: dict[str, Any] = {
            'service': args.chunk_service,
            'checkpoint': name,
            'method': method.name,
            'joints': list(joints),
            'images': list(views),
        }
        words = f'{name}, method {method.name}: GetActionChunk at {args.chunk_service} of '
        words += f'{", ".join(joints)} (Ctrl-C ends)'
        print(json.dumps(told) if args.json else words)
        sys.stdout.flush()

    action_chunk.run(kind, args.chunk_service, session.answer, started, say)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(',')) if text else ()
