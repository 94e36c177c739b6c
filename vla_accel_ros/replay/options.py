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

"""The arguments of `vla-accel replay`."""

from __future__ import annotations

import argparse
from pathlib import Path

from vla_accel_ros.acceleration.grammar import add_argument
from vla_accel_ros.devices import device_name
from vla_accel_ros.engines.wish import add_arguments as add_engine
from vla_accel_ros.evaluation import clocks
from vla_accel_ros.paths import DEFAULT_CHECKPOINT
from vla_accel_ros.replay.roles import FLOAT, JOINTS, Roles, Wishes
from vla_accel_ros.scheduling.config import SchedulerConfig

# Where a bag does not hold an action of this package: what every arm of the examples runs at.
POLICY_STEP_S = SchedulerConfig().policy_step_s


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add(
        'bag',
        type=Path,
        metavar='BAG',
        help=(
            'folder of a rosbag2, a bare .mcap or .db3 file, or folder of a LeRobot dataset (v3)'
        ),
    )
    add(
        '--out',
        type=Path,
        default=None,
        metavar='DIR',
        help='where results.json and report.html go (out/replay/NAME OF THE BAG)',
    )
    add_argument(parser, 'none,sp_vla,fast')
    add(
        '--mode',
        choices=('offline', 'graph'),
        default='offline',
        help=(
            'offline runs every frame in this process; graph publishes them to the real nodes '
            'over DDS (%(default)s)'
        ),
    )
    add(
        '--clock',
        choices=clocks.CLOCKS,
        default=clocks.STEP,
        help=(
            'step: an answer is there with the frame that it answers; real: as much later as the '
            'call takes, and the frames go on meanwhile (%(default)s)'
        ),
    )
    add(
        '--latency-ms',
        default=None,
        metavar='MS',
        help=(
            'of each call on the real clock; or the JSON report of an evaluation, whose calls of '
            'the same methods are drawn from; what it takes here and now by default'
        ),
    )
    group = reading(parser)
    group.add_argument(
        '--resume', action='store_true', help='go on with an interrupted run in --out'
    )
    group.add_argument('--overwrite', action='store_true', help='replace the run in --out')


def reading(parser: argparse.ArgumentParser, engines: bool = True):
    """Add what says how a bag is read, and by which policy; return the group of episodes.

    Args:
        parser: The parser.
        engines: Whether there is a choice of what runs the policy.
    """
    add = parser.add_argument
    add(
        '--checkpoint',
        default=DEFAULT_CHECKPOINT,
        help='shipped checkpoint or folder (%(default)s)',
    )
    add(
        '--unnorm-key',
        default=None,
        help='data set whose statistics hold; needed where the checkpoint has several',
    )
    add('--device', type=device_name, default='cpu', help='cpu or cuda (%(default)s)')
    if engines:
        add_engine(parser)
    add(
        '--threads',
        type=int,
        default=1,
        help=(
            'of torch on the CPU; with one, the last bit of a sum is the same everywhere '
            '(%(default)s)'
        ),
    )
    policy_step(parser)
    topics(
        parser.add_argument_group('topics, guessed from their messages and names where not given')
    )
    return episodes(parser)


def policy_step(parser: argparse.ArgumentParser) -> None:
    """Add how long a step is."""
    add = parser.add_argument
    add(
        '--policy-step',
        type=float,
        default=POLICY_STEP_S,
        metavar='SECONDS',
        help=(
            'what the checkpoint was trained at: an action is a displacement over it (%(default)s)'
        ),
    )


def episodes(parser: argparse.ArgumentParser):
    """Add what says where episodes begin; return the group."""
    group = parser.add_argument_group('episodes and long runs')
    group.add_argument(
        '--pause',
        type=float,
        default=1.0,
        metavar='SECONDS',
        help=('a longer gap between frames ends an episode (%(default)s)'),
    )
    group.add_argument(
        '--longest-episode',
        type=float,
        default=60.0,
        metavar='SECONDS',
        help=('longer ones are cut, 0 never (%(default)s)'),
    )
    return group


def topics(group) -> None:
    """Add what says which topic is what."""
    add = group.add_argument
    add(
        '--image-topic',
        action='append',
        default=[],
        metavar='TOPIC',
        help="a camera's, raw or compressed; once a camera, in the checkpoint's order",
    )
    add(
        '--action-topic',
        default='',
        metavar='TOPIC',
        help=(
            'JointTrajectory in the columns of vla/action; TwistStamped or PoseStamped of a tool; '
            'JointTrajectory, Float64MultiArray or JointState of joints; none goes without'
        ),
    )
    add(
        '--action-space',
        default='',
        metavar='FILE',
        help=(
            'what the columns of the actions are: end_effector, or the .json file that scheduler '
            "and arm_command take; %(prog)s compares it with the checkpoint's where both say it"
        ),
    )
    add(
        '--gripper-topic',
        action='append',
        default=[],
        metavar='TOPIC',
        help=(
            'Float64 or JointState, where the action does not hold the gripper, once a gripper in '
            'the order of the columns; or none'
        ),
    )
    add(
        '--gripper-joint',
        action='append',
        default=[],
        metavar='NAME',
        help='the joint, in a JointState; once a gripper',
    )
    add(
        '--gripper-open',
        type=float,
        default=None,
        metavar='VALUE',
        help='what the topic says of an open gripper (0 for a Float64)',
    )
    add(
        '--gripper-closed',
        type=float,
        default=None,
        metavar='VALUE',
        help='and of a closed one (1 for a Float64)',
    )
    add('--instruction-topic', default='', metavar='TOPIC', help='a String')
    add('--instruction', default='', metavar='WORDS', help='what to do, in place of a topic')
    add(
        '--proprio-topic',
        default='',
        metavar='TOPIC',
        help='a JointState, for checkpoints that want proprioception',
    )
    add(
        '--proprio-name',
        action='append',
        default=[],
        metavar='NAME',
        help=(
            "which of its values, once each in the checkpoint's order; all of them where not given"
        ),
    )
    add(
        '--pair-tolerance',
        type=float,
        default=0.02,
        metavar='SECONDS',
        help=('largest difference of stamps among the views of one observation (%(default)s)'),
    )


def gripper_ends(args: argparse.Namespace, roles: Roles) -> tuple[float, float]:
    """Return what the gripper topic says when it is open, and when it is closed.

    Raises:
        ValueError: When it holds joint states and the arguments do not say.
    """
    ends = args.gripper_open, args.gripper_closed
    states = [topic for topic in roles.grippers if roles.kinds.get(topic, FLOAT) == JOINTS]
    if states and None in ends:
        raise ValueError(
            f'{states[0]} holds joint states: say what they are when the gripper is open and '
            'closed, by --gripper-open and --gripper-closed, or --gripper-topic none'
        )
    is_open, is_closed = ends
    return 0.0 if is_open is None else is_open, 1.0 if is_closed is None else is_closed


def wishes(args: argparse.Namespace, instruction: str) -> Wishes:
    """Return what the arguments say of the topics' roles.

    Args:
        args: Of `topics`.
        instruction: What all episodes are about; empty where the recording says it.
    """
    return Wishes(
        tuple(args.image_topic),
        args.action_topic,
        tuple(args.gripper_topic),
        args.instruction_topic,
        args.proprio_topic,
        instruction,
        None not in (args.gripper_open, args.gripper_closed),
    )
