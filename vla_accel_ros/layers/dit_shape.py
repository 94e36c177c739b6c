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

"""The shape of CogACT's action transformer, read without torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.files.kinds import Whole, check_fields, of
from vla_accel_ros.layers.shapes import HEADS, LAYERS, MLP, WIDTH, require


@dataclass(frozen=True)
class DiTConfig:
    """Shape of an action transformer.

    Attributes:
        width: Channels of a token.
        depth: Blocks.
        heads: Attention heads; divides `width`.
        mlp: Hidden channels of the MLP.
        frequencies: Numbers in the embedding of a time, before its MLP.

    Raises:
        ValueError: When the numbers do not fit together.
    """

    width: int = field(default=768, metadata=of(WIDTH))
    depth: int = field(default=12, metadata=of(LAYERS))
    heads: int = field(default=12, metadata=of(HEADS))
    mlp: int = field(default=3072, metadata=of(MLP))
    frequencies: int = field(default=256, metadata=of(Whole(2, 2**16)))

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.width % self.heads == 0,
            f'width {self.width} of the action transformer is no multiple of its {self.heads} '
            'heads',
        )
        require(
            self.frequencies % 2 == 0,
            f'frequencies is {self.frequencies}, expected an even number: cosines and sines',
        )
