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

"""What SmolVLA adds to a configuration."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vla_accel_ros.files.kinds import Number, Whole, check_fields, of
from vla_accel_ros.layers.shapes import MLP, WIDTH, DecoderConfig, require
from vla_accel_ros.models.heads.config import HeadConfig

COLUMNS = Whole(1, 1024)
PERIOD = Number(1e-6, 1e6)


@dataclass(frozen=True)
class SmolVLAConfig(HeadConfig):
    """How a chunk of actions is denoised (SmolVLA, arXiv 2506.01844).

    Attributes:
        chunk: Actions in an answer.
        proprio: Numbers of the robot's state.
        state_width: Numbers that the state is padded to.
        action_width: Numbers that an action is padded to.
        expert_width: Channels of the expert.
        expert_mlp: Hidden channels of its MLPs.
        self_every: Each so many layers, from the first one, the expert attends to its own rows
            beside the prefix; the others look at the prefix alone. 0 for none that does.
        flow_steps: Denoising steps, unless told otherwise.
        min_period: Shortest period of the time embedding.
        max_period: Longest.
        longest_text: Tokens of a prompt at most; those after them are cut off.

    Raises:
        ValueError: When a number is out of range.
    """

    family = 'smolvla'
    before = 0
    apart = 1
    prompt_acts = True

    chunk: int = field(default=50, metadata=of(Whole(1, 512)))
    proprio: int = field(default=6, metadata=of(COLUMNS))
    state_width: int = field(default=32, metadata=of(COLUMNS))
    action_width: int = field(default=32, metadata=of(COLUMNS))
    expert_width: int = field(default=720, metadata=of(WIDTH))
    expert_mlp: int = field(default=2048, metadata=of(MLP))
    self_every: int = field(default=2, metadata=of(Whole(0, 256)))
    flow_steps: int = field(default=10, metadata=of(Whole(1, 1000)))
    min_period: float = field(default=0.004, metadata=of(PERIOD))
    max_period: float = field(default=4.0, metadata=of(PERIOD))
    longest_text: int = field(default=48, metadata=of(Whole(1, 2**16)))

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.proprio <= self.state_width,
            f'proprio is {self.proprio}, expected at most the {self.state_width} of state_width',
        )
        require(
            self.expert_width % 2 == 0,
            f'expert_width is {self.expert_width}, expected an even number',
        )

    def rows(self, dims: int) -> int:
        """Give one row, the state's; see `HeadConfig.rows`."""
        return 1

    def not_answering(self, layers: int) -> tuple[int, ...]:
        """Give the cross layers, which look at projected keys; see `HeadConfig.not_answering`."""
        return self.cross(layers)

    def expert(self, decoder: DecoderConfig) -> DecoderConfig:
        """Give the expert's shape beside a language model."""
        return replace(
            decoder, width=self.expert_width, mlp=self.expert_mlp, head_size=decoder.head_width
        )

    def cross(self, layers: int) -> tuple[int, ...]:
        """Give the expert's layers, from 0, that look at the prefix alone.

        Args:
            layers: Of the expert.
        """
        every = self.self_every
        return tuple(layer for layer in range(layers) if not every or layer % every)
