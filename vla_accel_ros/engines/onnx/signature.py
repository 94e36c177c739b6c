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

"""What goes into a program when it is exported: types, sizes, and which sizes are free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from vla_accel_ros.engines.interface import EngineError, Program
from vla_accel_ros.engines.programs.call import Call
from vla_accel_ros.engines.programs.decoder import Loop, Pass, Span
from vla_accel_ros.engines.programs.diffusion import Condition, Denoise
from vla_accel_ros.engines.programs.flow import FlowNetwork, Leading, Velocity
from vla_accel_ros.engines.programs.vision import Vision
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig

# Free sizes by name, and the size of the example that a graph is traced with: at least 2, for a
# size of 1 becomes a constant, and all different, so that none is taken for another one.
FREE = {
    # Rows of a sequence before rows were dropped, and those that are left.
    'before': 97,
    'tokens': 89,
    # Rows that are wanted behind the last layer.
    'rows': 7,
    # Visual tokens that go through the projector.
    'kept': 23,
    # Tokens of a pass.
    'count': 5,
    # What the memory of keys and values can hold.
    'capacity': 101,
    # Tokens of a prompt.
    'prompt': 13,
    # Rows behind the memory that earlier passes of a loop made.
    'made': 3,
}


class Shape(Protocol):
    """What of a model's configuration decides on the sizes of its programs' inputs."""

    towers: tuple[TowerConfig, ...]
    image_towers: tuple[tuple[int, ...], ...]
    decoder: DecoderConfig
    image_size: int
    shuffle: int

    @property
    def channels(self) -> int:
        """Channels of the pixel values."""

    @property
    def visual_tokens(self) -> int:
        """Visual tokens of all images."""

    @property
    def slots(self) -> int:
        """Rows that a single-pass head reads."""


@dataclass(frozen=True)
class Port:
    """An input.

    Attributes:
        name: Its name.
        dtype: Its type.
        shape: Sizes; a text is the name of a free one, see `FREE`.
    """

    name: str
    dtype: torch.dtype
    shape: tuple[int | str, ...]

    def example(self, device: torch.device | str) -> Tensor:
        """Make a tensor of that shape; zeros, which are good as tokens, places and lengths."""
        sizes = [FREE[size] if isinstance(size, str) else size for size in self.shape]
        return torch.zeros(sizes, dtype=self.dtype, device=device)


def ports(program: Program, model: nn.Module) -> tuple[Port, ...]:
    """Give the inputs of a program, of one sample.

    Args:
        program: The program.
        model: Of whose modules it is made.

    Raises:
        EngineError: When it is a program of which no graph is made.
    """
    shape: Shape = model.config  # type: ignore[assignment]
    dtype: torch.dtype = model.dtype  # type: ignore[assignment]
    sizes = _sizes(program, shape)
    kinds = {
        'float': dtype,
        # Of what is never less than float32.
        'wide': torch.promote_types(dtype, torch.float32),
        'int': torch.int64,
    }
    return tuple(
        Port(name, kinds[kind], size)
        for name, (kind, size) in ((name, sizes[name]) for name in program.inputs)
    )


Sizes = Mapping[str, tuple[str, tuple[int | str, ...]]]


def _sizes(program: Program, shape: Shape) -> Sizes:
    match program:
        case Vision():
            side = shape.image_size
            return {
                'pixels': ('float', (1, shape.channels, side, side)),
                'language': ('float', (1, shape.decoder.width)),
            }
        case Span():
            return _of_span(program)
        case Pass():
            return {
                'tokens': ('int', (1, 'count')),
                'positions': ('int', (1, 'count')),
                **_memory(program.decoder.config),
            }
        case Loop():
            return {
                'token': ('int', (1, 1)),
                'position': ('int', (1, 1)),
                **_memory(program.decoder.config),
            }
        case Leading():
            return _of_flow(program.network)
        case Velocity():
            return _of_flow(program.network, program.by_row)
        case Call():
            return _of_call(program, shape)
        case Condition():
            return {'feature': ('wide', (1, program.net.features))}
        case Denoise():
            return _of_denoising(program)
    raise EngineError(f'no graph is made of the program {program.name}')


def _of_flow(network: FlowNetwork, by_row: bool = False) -> Sizes:
    kind, (*parts, channels) = 'wide' if network.wide_conditions else 'float', network.condition
    rows = (network.rows,) if by_row else ()
    return {
        'state': ('wide', (1, network.columns)),
        'x': ('wide', (1, network.rows, network.numbers)),
        'condition': (kind, (*parts, *rows, channels)),
        'position': ('int', (1,)),
        **_memory(network.memory),
    }


def _of_span(program: Span) -> Sizes:
    before = 'before' if program.narrowed else 'tokens'
    return {
        'x': ('float', (1, before, program.decoder.config.width)),
        'positions': ('int', ('tokens',)),
        'stay': ('int', ('tokens',)),
        'rows': ('int', ('rows',)),
    }


def _of_denoising(program: Denoise) -> Sizes:
    net, samples = program.net, 2 if program.guidance else 1
    return {
        'x': ('wide', (1, net.chunk, net.dims)),
        'condition': ('wide', (samples, net.config.width)),
        'time': ('wide', (net.config.width,)),
        'scales': ('wide', (4,)),
    }


def _memory(config: DecoderConfig) -> Sizes:
    slots = len(config.attending)
    rows = (slots, 2, 1, config.kv_heads, 'capacity', config.head_width)
    return {'store': ('float', rows), 'lengths': ('int', (slots,))}


def _of_call(program: Call, shape: Shape) -> Sizes:
    width = shape.decoder.width
    match program.name:
        case 'projector':
            seen = sum(shape.towers[tower].width for tower in shape.image_towers[0])
            seen *= shape.shuffle**2
            return {
                'features': ('float', (1, shape.visual_tokens, seen)),
                'ids': ('int', ('kept',)),
            }
        case 'lm_head':
            return {'rows': ('float', ('rows', width))}
        case 'head':
            return {'rows': ('float', (1, shape.slots, width))}
        case 'language':
            return {'ids': ('int', (1, 'prompt'))}
    raise EngineError(f'no graph is made of the program {program.name}')
