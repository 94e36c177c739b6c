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

"""What a pi0 and a pi0.5 are beside the shared parts of a configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.files.kinds import Flag, Number, Part, Several, Whole, Word, of
from vla_accel_ros.layers.shapes import DecoderConfig, require
from vla_accel_ros.models.heads.flow_config import (
    CLOSED_IS_ONE,
    GRIPPERS,
    FlowConfig,
    check_relative,
)
from vla_accel_ros.models.normalisation import IDENTITY, MEAN_STD, MODES

PLAIN, STATE, QUESTION = PROMPTS = ('plain', 'state', 'question')


@dataclass(frozen=True)
class Pi0Config(FlowConfig):
    """pi0 (arXiv 2410.24164) or, with adaptive norms, pi0.5 (arXiv 2504.16054).

    Attributes:
        expert: Shape of the action expert.
        adaptive: Whether the time of the flow is told to the expert's norms (pi0.5).
        state: Columns of the state's row in front of the actions, padding included; 0 for none.
        proprio: Numbers of the robot's state.
        prompt: `plain`, `state` where the state is part of the text, or `question` for the words
            around the instruction that `VLAConfig.prompt` names.
        prompt_numbers: Numbers of the state in the text, zeros behind the robot's; 0 for those of
            the robot alone.
        clean: Whether underscores and line breaks of an instruction become spaces.
        prompt_length: Tokens of the longest prompt that the model was trained with.
        camera_names: The checkpoint's names of its cameras, in order; empty where it has none.
        places: Views that the checkpoint has places for; a robot may have fewer.
        state_scaling: How the state is normalised, one of `normalisation.MODES`.
        action_scaling: How actions are.
        state_added: Added to the divisor of the state.
        action_added: Added to the factor of actions.
        relative: Columns of actions that are differences from the state.
        gripper: What the data set's gripper says.
    """

    family = 'pi0'

    expert: DecoderConfig = field(
        default_factory=lambda: gemma(1024, 18, 4096), metadata=of(Part(DecoderConfig))
    )
    adaptive: bool = field(default=False, metadata=of(Flag()))
    state: int = field(default=32, metadata=of(Whole(0, 256)))
    proprio: int = field(default=0, metadata=of(Whole(0, 256)))
    prompt: str = field(default=PLAIN, metadata=of(Word(PROMPTS)))
    prompt_numbers: int = field(default=0, metadata=of(Whole(0, 256)))
    clean: bool = field(default=True, metadata=of(Flag()))
    prompt_length: int = field(default=48, metadata=of(Whole(2, 4096)))
    camera_names: tuple[str, ...] = field(default=(), metadata=of(Several(Word(), 0, 16)))
    places: int = field(default=3, metadata=of(Whole(1, 16)))
    state_scaling: str = field(default=MEAN_STD, metadata=of(Word(MODES)))
    action_scaling: str = field(default=MEAN_STD, metadata=of(Word(MODES)))
    state_added: float = field(default=0.0, metadata=of(Number(0, 1)))
    action_added: float = field(default=0.0, metadata=of(Number(0, 1)))
    relative: tuple[int, ...] = field(default=(), metadata=of(Several(Whole(0, 255), 0, 256)))
    gripper: str = field(default=CLOSED_IS_ONE, metadata=of(Word(GRIPPERS)))

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.proprio <= self.state or not self.state,
            f'proprio is {self.proprio}, expected at most the {self.state} columns of the state',
        )
        if self.prompt == STATE:
            require(self.proprio > 0, 'proprio is 0, expected the numbers that the prompt holds')
        check_relative(self.relative, self.proprio)

    @property
    def title(self) -> str:
        """Name of the model, for people."""
        return 'pi0.5' if self.adaptive else 'pi0'

    @property
    def leading(self) -> int:
        """The row of the state; see `FlowConfig.leading`."""
        return int(self.state > 0)

    @property
    def most_cameras(self) -> int:
        """Views that there are places for; see `HeadConfig.most_cameras`."""
        return self.places

    @property
    def unscaled(self) -> bool:
        """Whether actions are as the network gives them."""
        return self.action_scaling == IDENTITY


def gemma(
    width: int,
    layers: int,
    mlp: int,
    heads: int = 8,
    kv_heads: int = 1,
    head_size: int = 256,
    vocab: int = 1,
) -> DecoderConfig:
    """Give the shape of a Gemma."""
    return DecoderConfig(
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        mlp=mlp,
        vocab=vocab,
        head_size=head_size,
        activation='gelu_tanh',
        norm_adds_one=True,
        scaled_embedding=True,
        logits=False,
    )
