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

"""`vla-accel lerobot`: a bag of the nodes' topics as a LeRobot dataset."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys

from vla_accel_ros.files.locks import Lock
from vla_accel_ros.files.whole_files import naming
from vla_accel_ros.replay import options
from vla_accel_ros.stopping import Interrupt


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add('bag', type=Path, metavar='BAG', help='folder of a rosbag2, or a bare .mcap or .db3 file')
    add('--out', type=Path, required=True, metavar='DIR', help='folder that becomes the dataset')
    add(
        '--cameras',
        type=int,
        default=1,
        metavar='N',
        help='how many, where no --image-topic says which (%(default)s)',
    )
    add(
        '--video',
        action='store_true',
        help='pictures as H.264 videos, smaller and with losses, in the place of PNG',
    )
    options.policy_step(parser)
    options.topics(parser.add_argument_group('topics, as of vla-accel replay'))
    options.episodes(parser)


def run(args: argparse.Namespace) -> int:
    """Write the dataset; return 0 when it is whole.

    Raises:
        BagError: When the bag or its topics will not do.
        ValueError: When an argument or a frame will not do.
        FileExistsError: When there is something of the dataset's name.
    """
    from vla_accel_ros.action_space import END_EFFECTOR
    from vla_accel_ros.inputs.space_file import read_space
    from vla_accel_ros.replay.bag.reader import Bag
    from vla_accel_ros.replay.demo.writer import check_new
    from vla_accel_ros.replay.episodes import Splitter
    from vla_accel_ros.replay.evidence import Evidence
    from vla_accel_ros.replay.lerobot.from_bag import Export
    from vla_accel_ros.replay.recorded import Recorded
    from vla_accel_ros.replay.spaces import check_recorded
    from vla_accel_ros.replay.stream import Fitting, Stream
    from vla_accel_ros.replay.topics import assign

    if not 0.01 <= args.policy_step <= 1.0:
        raise ValueError(f'--policy-step is {args.policy_step}, expected 0.01 to 1 s')
    if not 1 <= args.cameras <= 16:
        raise ValueError(f'--cameras is {args.cameras}, expected 1 to 16')
    if args.proprio_topic and not args.proprio_name:
        raise ValueError('--proprio-topic wants a --proprio-name for each column of the state')
    check_new(args.out)
    bag = Bag(args.bag)
    said, wants_state = args.instruction.strip(), bool(args.proprio_topic)
    wishes = options.wishes(args, said)
    space = read_space(args.action_space) if args.action_space else END_EFFECTOR
    evidence = Evidence(bag, args.gripper_joint, args.proprio_name, len(args.proprio_name), space)
    check_recorded(evidence, bag.topics, args.action_topic, space, '--action-space')
    cameras = len(args.image_topic) or args.cameras
    roles = assign(
        bag.topics,
        wishes,
        cameras,
        wants_state,
        evidence.objection,
        space,
        evidence.holds_grippers,
    )
    print(f'lerobot: {args.bag}\n{roles.describe()}', file=sys.stderr)
    stream = Stream(
        bag,
        roles,
        Fitting(0),
        said,
        round(args.pair_tolerance * 1e9),
        args.gripper_joint,
        args.proprio_name,
        space=space,
    )
    export = Export(
        args.out,
        args.policy_step,
        _names(roles.images),
        args.proprio_name,
        Splitter(args.pause, args.longest_episode),
        Recorded(space, args.policy_step, *options.gripper_ends(args, roles)),
        args.video,
    )
    lock = Lock.beside(args.out)
    with lock, Interrupt('stopping: nothing is written') as stop, naming(args.out):
        try:
            written = export.run(stream, stop)
        except InterruptedError as error:
            print(error, file=sys.stderr)
            return stop.code
    lines = [*bag.losses.reasons, *stream.faults.lines()]
    facts = {
        'dataset': str(args.out),
        'episodes': written.episodes,
        'frames': written.frames,
        'left_out': dict(written.left_out),
        'faults': lines,
    }
    if args.json:
        print(json.dumps(facts))
        return 0
    left = ''.join(f', {n} left out: {why}' for why, n in written.left_out.items())
    print(f'{args.out}: {written.episodes} episodes, {written.frames} frames{left}')
    for line in lines:
        print(f'  {line}')
    return 0


def _names(topics: tuple[str, ...]) -> list[str]:
    """Name cameras by their topics: `/wrist/image_raw/compressed` is `wrist`."""
    names: list[str] = []
    for number, topic in enumerate(topics):
        words = [w for w in topic.split('/') if w and w not in ('compressed', 'image_raw')]
        name = '_'.join(words) or 'main'
        names.append(f'{name}_{number}' if name in names else name)
    return names
