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

from vla_accel_ros.files.kinds import Number, Several, Whole, Word, of
from vla_accel_ros.layers.flow_names import COUNTED, TIMES
from vla_accel_ros.layers.shapes import MLP, WIDTH, DecoderConfig, require
from vla_accel_ros.models.heads.flow_config import CLOSED_IS_ONE, FlowConfig, check_relative
from vla_accel_ros.models.normalisation import IDENTITY, LEROBOT_ADDED, MEAN_STD, MODES


@dataclass(frozen=True)
class SmolVLAConfig(FlowConfig):
    """SmolVLA (arXiv 2506.01844).

    Attributes:
        times: How the times of steps are computed, one of `flow_names.TIMES`.
        proprio: Numbers of the robot's state.
        state_width: Numbers that the state is padded to.
        expert_width: Channels of the expert.
        expert_mlp: Hidden channels of its MLPs.
        self_every: Each so many layers, from the first one, the expert attends to its own rows
            beside the prefix; the others look at the prefix alone. 0 for none that does.
        prompt_length: Tokens of a prompt at most; those after them are cut off.
        camera_names: The checkpoint's names of its cameras, in order.
        state_scaling: How the state is normalised, one of `normalisation.MODES`.
        action_scaling: How actions are.
        state_added: Added to the divisor of the state.
        action_added: Added to the factor of actions.
        relative: Columns of actions that are differences from the state.
        gripper: What the data set's gripper says, where an action has 7 columns.
    """

    family = 'smolvla'
    apart = 1
    prompt_acts = True

    times: str = field(default=COUNTED, metadata=of(Word(TIMES)))
    proprio: int = field(default=6, metadata=of(Whole(1, 256)))
    state_width: int = field(default=32, metadata=of(Whole(1, 256)))
    expert_width: int = field(default=720, metadata=of(WIDTH))
    expert_mlp: int = field(default=2048, metadata=of(MLP))
    self_every: int = field(default=2, metadata=of(Whole(0, 256)))
    prompt_length: int = field(default=48, metadata=of(Whole(1, 4096)))
    camera_names: tuple[str, ...] = field(default=(), metadata=of(Several(Word(), 0, 16)))
    state_scaling: str = field(default=MEAN_STD, metadata=of(Word(MODES)))
    action_scaling: str = field(default=MEAN_STD, metadata=of(Word(MODES)))
    state_added: float = field(default=LEROBOT_ADDED, metadata=of(Number(0, 1)))
    action_added: float = field(default=0.0, metadata=of(Number(0, 1)))
    relative: tuple[int, ...] = field(default=(), metadata=of(Several(Whole(0, 255), 0, 256)))
    gripper: str = field(default=CLOSED_IS_ONE, metadata=of(Word((CLOSED_IS_ONE,))))

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.proprio <= self.state_width,
            f'proprio is {self.proprio}, expected at most the {self.state_width} of state_width',
        )
        require(
            self.expert_width % 2 == 0,
            f'expert_width is {self.expert_width}, expected an even number',
        )
        check_relative(self.relative, self.proprio)

    @property
    def most_cameras(self) -> int:
        """Views that there are places for: those of the checkpoint, or fewer."""
        return len(self.camera_names)

    @property
    def unscaled(self) -> bool:
        """Whether actions are as the network gives them."""
        return self.action_scaling == IDENTITY

    def rows(self, dims: int) -> int:
        """Give one row, the state's; see `HeadConfig.rows`."""
        return 1

    def positions(self, dims: int) -> int:
        """Give the state's row and those of the chunk; see `HeadConfig.positions`."""
        return 1 + self.chunk

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
