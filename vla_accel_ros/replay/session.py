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

"""What a replay is made of, found and checked before anything is run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
import sys

import numpy as np

from vla_accel_ros.acceleration import BASELINE, Method, check_method, find, parse
from vla_accel_ros.acceleration.settings import settings_of
from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.engines.registry import titled
from vla_accel_ros.engines.wish import WEIGHTS, wish_of
from vla_accel_ros.evaluation import clocks
from vla_accel_ros.evaluation.latency import Latency
from vla_accel_ros.files import fingerprints
from vla_accel_ros.inputs.instructions import check_instruction
from vla_accel_ros.inputs.space_file import read_space
from vla_accel_ros.models.engine_choice import use_engine_aloud
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.serving import check_space
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.replay.bag.raw import BagError, shown
from vla_accel_ros.replay.bag.reader import Bag
from vla_accel_ros.replay.decode import LARGEST
from vla_accel_ros.replay.episodes import Splitter
from vla_accel_ros.replay.evidence import Evidence
from vla_accel_ros.replay.options import gripper_ends, wishes
from vla_accel_ros.replay.recorded import Recorded
from vla_accel_ros.replay.roles import NONE, Roles
from vla_accel_ros.replay.spaces import check_recorded, check_same
from vla_accel_ros.replay.stream import Fitting, Stream
from vla_accel_ros.replay.topics import assign

# What the baseline is called where it is run apart from the method of that name.
REFERENCE = 'reference'


@dataclass(frozen=True, eq=False)
class Replay:
    """A bag, a policy, and the methods to run.

    Attributes:
        args: The command line.
        bag: The bag.
        roles: Which topic is what.
        policy: The policy.
        checkpoint: Its folder.
        methods: To run, at the policy's step.
        reference: The unaccelerated method, among them or not.
        latencies: Latency model by name of method; empty on the step clock.
    """

    args: argparse.Namespace
    bag: Bag
    roles: Roles
    policy: Policy
    checkpoint: Path
    methods: tuple[Method, ...]
    reference: Method
    latencies: Mapping[str, Latency]

    @property
    def space(self) -> ActionSpace:
        """What the columns of the policy's actions are."""
        return self.policy.space

    @property
    def step_s(self) -> float:
        """Policy step, seconds."""
        return self.args.policy_step

    @property
    def precision(self) -> str:
        """What the engine computes in, as it was asked for; of an engine in place of it `auto`."""
        return self.args.engine_precision if self.policy.in_use.as_asked else WEIGHTS

    @property
    def calibration(self) -> str:
        """The file that the engine was asked for with, whole; empty where another one runs."""
        file = self.args.engine_calibration
        return str(Path(file).resolve()) if file and self.policy.in_use.as_asked else ''

    @property
    def observations(self) -> int:
        """How many observations to expect."""
        return min(self.bag.topics[topic].count for topic in self.roles.images)

    def stream(self, skip: int = 0, known: Mapping | None = None, resized: bool = True) -> Stream:
        """Return the bag as the policy sees it.

        Args:
            skip: So many observations are passed over.
            known: What is known of their faults.
            resized: Whether views are brought to the model's size, or left as they are.
        """
        args, config = self.args, self.policy.config
        fitting = Fitting(
            config.image_size if resized else 0,
            config.resize,
            # Before their crop such checkpoints were trained on images resized so.
            'bicubic' if config.centre_crop is None else 'lanczos',
        )
        return Stream(
            self.bag,
            self.roles,
            fitting,
            args.instruction,
            round(args.pair_tolerance * 1e9),
            args.gripper_joint,
            args.proprio_name,
            self.policy.tokens_of,
            skip,
            known,
            self.policy.proprio or np.asarray,
            self.space,
        )

    def splitter(self) -> Splitter:
        """Return what says where episodes begin."""
        return Splitter(self.args.pause, self.args.longest_episode)

    def recorded(self) -> Recorded:
        """Return what gathers the recorded actions."""
        return Recorded(self.space, self.step_s, *gripper_ends(self.args, self.roles))

    def identity(self) -> dict:
        """Return what makes two runs the same."""
        args, in_use = self.args, self.policy.in_use
        return {
            'bag': self.bag.fingerprint(),
            'checkpoint': fingerprints.of_folder(self.checkpoint),
            'unnorm_key': self.policy.unnorm_key,
            'methods': {m.name: settings_of(m) for m in self.methods},
            'images': list(self.roles.images),
            'action': self.roles.action,
            'action_space': self.space.to_values(),
            'gripper': [
                list(self.roles.grippers),
                args.gripper_joint,
                args.gripper_open,
                args.gripper_closed,
            ],
            'instruction': [self.roles.instruction, args.instruction],
            'proprio': [self.roles.proprio, *args.proprio_name],
            'pair_tolerance_s': args.pair_tolerance,
            'policy_step_s': self.step_s,
            'clock': [args.clock, args.latency_ms],
            'pause_s': args.pause,
            'longest_episode_s': args.longest_episode,
            'device': args.device,
            'engine': [titled(in_use.name, in_use.device), in_use.precision],
            **in_use.wish.calibrated,
            'threads': args.threads,
        }


def prepare(args: argparse.Namespace, say: Callable[[str], None]) -> Replay:
    """Find and check everything; nothing is written.

    Args:
        args: The command line.
        say: Told what was found, in words.

    Raises:
        BagError: When the bag or its topics will not do.
        ValueError: When an argument will not do, or the checkpoint does not fit.
        FileNotFoundError: When there is no such checkpoint.
    """
    if not 0.01 <= args.policy_step <= 1.0:
        raise ValueError(f'--policy-step is {args.policy_step}, expected 0.01 to 1 s')
    if not 0.0 <= args.pair_tolerance <= 1.0:
        raise ValueError(f'--pair-tolerance is {args.pair_tolerance}, expected 0 to 1 s')
    for option in ('gripper_open', 'gripper_closed'):
        # NaN compares as false.
        if not abs(getattr(args, option) or 0.0) <= LARGEST:
            raise ValueError(
                f'--{option.replace("_", "-")} is {getattr(args, option)}, expected a number of '
                f'at most {LARGEST:g}'
            )
    chosen = tuple(m.at_step(args.policy_step) for m in find(args.methods))
    latencies = clocks.latencies(args.clock, args.latency_ms, chosen)
    reference = parse(BASELINE).at_step(args.policy_step)
    if args.clock == clocks.REAL or args.mode == 'graph':
        # It answers on the step clock all the same and in this process: another than the one
        # that may be asked for.
        reference = replace(reference, name=REFERENCE)
    folder = checkpoint_folder(args.checkpoint)
    bag = Bag(args.bag)
    policy = Policy.load(
        folder, device=args.device, unnorm_key=args.unnorm_key, threads=args.threads
    )
    check_space(policy)
    if args.action_space and args.action_topic != NONE:
        said = read_space(args.action_space)
        check_same(said, policy.space, args.action_space, 'the checkpoint')
    use_engine_aloud(policy, wish_of(args), _say)
    said = args.instruction.strip()
    if said:
        check_instruction(said)
    wished = wishes(args, said)
    evidence = Evidence(
        bag,
        args.gripper_joint,
        args.proprio_name,
        policy.proprio.numbers if policy.proprio else 0,
        policy.space,
    )
    check_recorded(evidence, bag.topics, wished.action, policy.space, 'the checkpoint')
    try:
        roles = assign(
            bag.topics,
            wished,
            policy.cameras,
            policy.proprio is not None,
            evidence.objection,
            policy.space,
            evidence.holds_grippers,
        )
    except BagError as error:
        # Messages that could not be read may be why.
        raise BagError('; '.join([str(error), *bag.losses.reasons])) from error
    session = Replay(
        args,
        bag,
        roles,
        policy,
        folder,
        chosen,
        reference,
        {m.name: latency for m, latency in zip(chosen, latencies, strict=True) if latency},
    )
    session.recorded(), session.splitter()
    for method in chosen:
        # What does not fit the model is said now, not after hours.
        check_method(method, policy)
    say(f'{shown(args.bag)}: {session.observations} observations\n{roles.describe()}')
    if not roles.action:
        say('  no action topic: compared with the unaccelerated policy only')
    policy.warm_up()
    return session


def _say(line: str) -> None:
    print(f'replay: {line}', file=sys.stderr)
