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

"""From the command line to what is tuned on, everything checked before anything is run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from math import inf, isfinite
from pathlib import Path

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.engines.wish import wish_of
from vla_accel_ros.environments.tabletop import TabletopKind
from vla_accel_ros.evaluation import runner, seeds
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.replay.options import POLICY_STEP_S, reading
from vla_accel_ros.tuning import options
from vla_accel_ros.tuning.points import RULES
from vla_accel_ros.tuning.spaces import Model
from vla_accel_ros.tuning.target import Plan


def rule_of(args: argparse.Namespace) -> tuple[str, float]:
    """Return how the best point is chosen.

    Raises:
        ValueError: When there is no such rule, or its bound is no number.
    """
    if args.choose is None:
        return RULES[0], options.WITHIN_POINTS if args.sim else options.WITHIN_ERROR
    rule, text = args.choose
    if rule not in RULES:
        raise ValueError(f"--choose is '{rule}', expected one of {', '.join(RULES)}")
    try:
        bound = float(text)
    except ValueError:
        bound = inf
    if not isfinite(bound):
        raise ValueError(f"--choose {rule} '{text}', expected a number")
    return rule, bound


def hopeless_of(args: argparse.Namespace) -> float:
    """Return the loss from which a setting is given up.

    Raises:
        ValueError: When it is not above 0.
    """
    if args.hopeless is None:
        rule, bound = rule_of(args)
        usual = options.WITHIN_POINTS if args.sim else options.WITHIN_ERROR
        return options.HOPELESS * max(bound if rule == RULES[0] else usual, usual)
    if not 0 < args.hopeless < inf:
        raise ValueError(f'--hopeless is {args.hopeless}, expected above 0')
    return args.hopeless


def model_of(args: argparse.Namespace) -> Model:
    """Return what of the checkpoint bounds the search."""
    config = read_config(checkpoint_folder(args.checkpoint))
    head = config.head
    steps = getattr(head, 'steps', 0)
    return Model(config.decoder.layers, config.visual_tokens, head.chunk, steps)


def plan_of(args: argparse.Namespace) -> Plan:
    """Return what is tuned on.

    Raises:
        ValueError: When that makes no sense.
        OSError: When something is not there.
    """
    for name in ('trials', 'points', 'workers'):
        # Without a number of workers there are as many as there is room for.
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f'--{name} is {value}, expected at least 1')
    if args.sim:
        return _simulation(args)
    if not args.bags:
        raise ValueError('nothing to tune on, expected --bag BAG... or --sim')
    return _bags(args)


def _simulation(args: argparse.Namespace):
    from vla_accel_ros.tuning.sim import SimPlan

    if args.confirm_bag:
        raise ValueError('--confirm-bag goes with --bag, expected --confirm N with --sim')
    seed_range = seeds.require('tuning', args.seed, args.episodes)
    held_out = range(0)
    if args.confirm < 0:
        raise ValueError(f'--confirm is {args.confirm}, expected 0 or more')
    if args.confirm:
        held_out = _held_out(args.confirm_seed, args.confirm, seed_range)
    kind = TabletopKind()
    setup = runner.Setup(
        str(checkpoint_folder(args.checkpoint)),
        kind,
        args.device,
        max_steps=args.max_steps,
        unnorm_key=args.unnorm_key,
        engine=wish_of(args),
    )
    return SimPlan(
        setup,
        kind.instructions(args.task),
        seed_range,
        args.cost,
        hopeless_of(args),
        held_out,
        POLICY_STEP_S,
    )


def _held_out(first: int, count: int, searched: range) -> range:
    """Return seeds to confirm on: tuning ones that are not searched on."""
    seed_range = seeds.require('tuning', first, count)
    both = range(max(seed_range.start, searched.start), min(seed_range.stop, searched.stop))
    if len(both):
        raise ValueError(
            f'seed {both.start} is searched on and to be confirmed on, expected others for '
            '--confirm-seed'
        )
    return seed_range


def _bags(args: argparse.Namespace):
    from vla_accel_ros.models.checkpoints.conventions import read_conventions
    from vla_accel_ros.replay.bag.reader import Bag
    from vla_accel_ros.tuning.bags import BagPlan, errors

    space = read_conventions(checkpoint_folder(args.checkpoint)).actions or END_EFFECTOR
    if args.error not in errors(space):
        raise ValueError(f"--error is '{args.error}', expected one of {', '.join(errors(space))}")
    known: dict[str, Path] = {}
    for bag in (*args.bags, *args.confirm_bag):
        mark = Bag(bag).fingerprint()
        if mark in known:
            raise ValueError(
                f'{bag} and {known[mark]} are the same bag, expected each once, to tune on or to '
                'confirm on'
            )
        known[mark] = bag
    reading_args = argparse.Namespace(
        **{key: value for key, value in vars(args).items() if key in _reading()}
    )
    reading_args.clock, reading_args.latency_ms = 'step', None
    reading_args.methods, reading_args.mode = 'none', 'offline'
    marks = list(known)
    held_out = {mark: known[mark] for mark in marks[len(args.bags) :]}
    return BagPlan(
        reading_args,
        {mark: known[mark] for mark in marks[: len(args.bags)]},
        args.cost,
        args.error,
        space,
        hopeless_of(args),
        held_out,
    )


def _reading() -> Sequence[str]:
    """Return the names of the arguments that say how a bag is read."""
    parser = argparse.ArgumentParser(add_help=False)
    reading(parser)
    return tuple(vars(parser.parse_args([])))
