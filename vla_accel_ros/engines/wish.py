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

"""Which engine is asked for: the same options for a node's parameters and every command."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, fields

from vla_accel_ros.engines import registry
from vla_accel_ros.options import check_options, option, options_of

WEIGHTS = 'auto'


@dataclass(frozen=True)
class EngineWish:
    """An engine that is asked for.

    Raises:
        ValueError: When there is no such engine, or it does not know the precision.
    """

    engine: str = option(
        registry.AUTO,
        'What runs the model: eager, compile, cuda_graph, onnxruntime, openvino or tensorrt; auto '
        'takes the fastest that gives the same tokens as eager, of those that `vla-accel engine '
        'build` has built for the checkpoint',
    )
    engine_precision: str = option(
        WEIGHTS,
        'What the engine computes in; auto is the type of the weights. bfloat16 and int8 are '
        'faster on some machines and change some tokens',
        choices=(WEIGHTS, *registry.PRECISIONS),
    )
    engine_required: bool = option(
        False,
        'Whether it is an error that the engine cannot run; otherwise the next one runs, and '
        '/diagnostics says why',
    )
    engine_calibration: str = option(
        '',
        'File of `vla-accel engine calibrate`. With int8 all products are of 8-bit numbers then, '
        'in ranges measured on its frames; without only weights have 8 bits',
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.engine_calibration and self.engine_precision != registry.INT8:
            raise ValueError(
                f'engine_calibration is {self.engine_calibration!r} and engine_precision is '
                f'{self.engine_precision!r}, expected int8'
            )
        if self.engine == registry.AUTO:
            if self.engine_precision != WEIGHTS:
                raise ValueError(
                    f'engine_precision is {self.engine_precision!r} and engine is auto, which '
                    'takes exact engines only: name the engine'
                )
            return
        known = registry.find(self.engine).precisions
        if self.engine_precision not in (WEIGHTS, *known):
            raise ValueError(
                f'engine_precision is {self.engine_precision!r}, expected {WEIGHTS} or one of '
                f"those of engine '{self.engine}': {', '.join(known)}"
            )

    @classmethod
    def of(cls, values: Mapping[str, object]) -> EngineWish:
        """Read the options among a node's parameters."""
        return cls(**{each.name: values[each.name] for each in fields(cls)})  # type: ignore[arg-type]


OPTIONS = options_of(EngineWish)
EAGER = EngineWish(registry.EAGER)


def add_arguments(parser: argparse.ArgumentParser, default: str = registry.AUTO) -> None:
    """Add `--engine` and what `add_precision` adds.

    Args:
        parser: The parser.
        default: The engine where none is named.
    """
    parser.add_argument(
        '--engine',
        default=default,
        metavar='NAME',
        help=f'what runs the model: {", ".join((registry.AUTO, *registry.OWN))}; auto is the '
        'fastest exact one that `vla-accel engine build` has built (%(default)s)',
    )
    add_precision(parser)


def add_precision(parser: argparse._ActionsContainer) -> None:
    """Add `--engine-precision` and `--engine-calibration`."""
    parser.add_argument(
        '--engine-precision',
        default=WEIGHTS,
        choices=OPTIONS['engine_precision'].choices,
        help='what the engine computes in; auto is the type of the weights (%(default)s)',
    )
    parser.add_argument(
        '--engine-calibration',
        default='',
        metavar='FILE',
        help='with int8: round all products, in ranges measured on the frames that `vla-accel '
        'engine calibrate` recorded (8 bits for weights alone)',
    )


def wish_of(args: argparse.Namespace) -> EngineWish:
    """Give what was asked for on the command line.

    Raises:
        ValueError: As `EngineWish`.
    """
    return EngineWish(
        args.engine, args.engine_precision, engine_calibration=args.engine_calibration
    )
