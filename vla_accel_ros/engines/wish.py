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
from pathlib import Path

from vla_accel_ros.engines import registry
from vla_accel_ros.engines.manifest import digest
from vla_accel_ros.options import check_options, option, options_of

WEIGHTS = 'auto'


@dataclass(frozen=True)
class EngineWish:
    """An engine that is asked for.

    Raises:
        ValueError: When there is no such engine, or it does not know the precision or the device.
    """

    engine: str = option(
        registry.AUTO,
        'What runs the model: eager, compile, cuda_graph, onnxruntime, openvino or tensorrt; auto '
        'takes the fastest that gives the same tokens as eager, of those that `vla-accel engine '
        'build` has built for the checkpoint',
    )
    engine_precision: str = option(
        WEIGHTS,
        'What the engine computes in; auto is the type of the weights. bfloat16, int8 and float8 '
        '(E4M3, tensorrt only) are faster on some machines and change some tokens',
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
        'in ranges measured on its frames; without only weights have 8 bits. float8 needs one',
    )
    engine_device: str = option(
        registry.AUTO,
        'What the engine runs on, where it has a choice: onnxruntime on cpu, cuda or tensorrt, '
        'openvino on cpu, gpu, gpu.1 or npu; auto is cpu for both',
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.engine_calibration and self.engine_precision not in registry.CALIBRATED:
            raise ValueError(
                f'engine_calibration is {self.engine_calibration!r} and engine_precision is '
                f'{self.engine_precision!r}, expected {" or ".join(registry.CALIBRATED)}'
            )
        if self.engine == registry.AUTO:
            if self.engine_precision != WEIGHTS:
                raise ValueError(
                    f'engine_precision is {self.engine_precision!r} and engine is auto, which '
                    'takes exact engines only: name the engine'
                )
            if self.engine_device != registry.AUTO:
                raise ValueError(
                    f'engine_device is {self.engine_device!r} and engine is auto, which takes '
                    'each engine on its own first device: name the engine'
                )
            return
        kind = registry.find(self.engine)
        known = kind.precisions
        if self.engine_precision not in (WEIGHTS, *known):
            raise ValueError(
                f'engine_precision is {self.engine_precision!r}, expected {WEIGHTS} or one of '
                f"those of engine '{self.engine}': {', '.join(known)}"
            )
        if self.engine_precision == registry.FLOAT8 and not self.engine_calibration:
            raise ValueError(
                f'engine_precision is {registry.FLOAT8!r} and engine_calibration is '
                f'{self.engine_calibration!r}, expected a file of `vla-accel engine calibrate`'
            )
        kind.device(self.engine_device)

    @property
    def device(self) -> str:
        """The device that is asked for, empty for the engine's first one."""
        if self.engine == registry.AUTO:
            return ''
        return registry.find(self.engine).device(self.engine_device)

    @property
    def title(self) -> str:
        """The engine, and the device where it is not the engine's first one."""
        return registry.titled(self.engine, self.device)

    @property
    def calibrated(self) -> dict[str, str]:
        """What tells runs apart that were calibrated on other frames: nothing without a file.

        Raises:
            ValueError: When the file cannot be read.
        """
        if not self.engine_calibration:
            return {}
        try:
            return {'engine_calibration': digest(Path(self.engine_calibration))}
        except OSError as error:
            raise ValueError(
                f'engine_calibration {self.engine_calibration} cannot be read: '
                f'{error.strerror or error}'
            ) from error

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
    """Add `--engine-precision`, `--engine-device` and `--engine-calibration`."""
    parser.add_argument(
        '--engine-precision',
        default=WEIGHTS,
        choices=OPTIONS['engine_precision'].choices,
        help='what the engine computes in; auto is the type of the weights (%(default)s)',
    )
    parser.add_argument(
        '--engine-device',
        default=registry.AUTO,
        metavar='NAME',
        help='what the engine runs on: onnxruntime on cpu, cuda or tensorrt, openvino on cpu, '
        'gpu, gpu.1 or npu; auto is cpu for both (%(default)s)',
    )
    parser.add_argument(
        '--engine-calibration',
        default='',
        metavar='FILE',
        help='with int8: round all products, in ranges measured on the frames that `vla-accel '
        'engine calibrate` recorded (8 bits for weights alone); float8 needs one',
    )


def wish_of(args: argparse.Namespace) -> EngineWish:
    """Give what was asked for on the command line.

    Raises:
        ValueError: As `EngineWish`.
    """
    return EngineWish(
        args.engine,
        args.engine_precision,
        engine_calibration=args.engine_calibration,
        engine_device=args.engine_device,
    )
