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

"""What a CogACT's head is: a diffusion transformer, conditioned on one feature."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.files.kinds import Number, Part, Several, Whole, check_fields, of
from vla_accel_ros.layers.dit_shape import DiTConfig
from vla_accel_ros.layers.shapes import require
from vla_accel_ros.models.heads.config import HeadConfig
from vla_accel_ros.models.heads.diffusion import kept_times

# Llama's token for a lone space, then the one that ends a text: the cognition token.
TAIL = (29871, 2)


@dataclass(frozen=True)
class CogACTConfig(HeadConfig):
    """How a chunk of actions is denoised (CogACT, arXiv 2411.19650).

    Attributes:
        chunk: Actions in an answer.
        dit: Shape of the action transformer.
        prompt_tail: Tokens behind every prompt; the last one is the cognition token, which is the
            prompt's own last one where there are none.
        steps: Steps of denoising in an answer, where nothing else is said.
        schedule: Steps of the schedule that the model was trained with.
        guidance: Scale of the guidance towards the feature; none at 1 and below.

    Raises:
        ValueError: When a number is out of range, or the schedule cannot be walked in the steps.
    """

    family = 'cogact'
    # The cognition token's.
    prompt_acts = True

    chunk: int = field(default=16, metadata=of(Whole(1, 512)))
    dit: DiTConfig = field(default_factory=DiTConfig, metadata=of(Part(DiTConfig)))
    prompt_tail: tuple[int, ...] = field(
        default=TAIL, metadata=of(Several(Whole(0, 2**21), 0, 16))
    )
    steps: int = field(default=10, metadata=of(Whole(1, 1000)))
    schedule: int = field(default=100, metadata=of(Whole(1, 1000)))
    guidance: float = field(default=1.5, metadata=of(Number(0, 100)))

    def __post_init__(self) -> None:
        check_fields(self)
        kept_times(self.schedule, self.steps)

    @property
    def guided(self) -> bool:
        """Whether the steps are guided, which takes two samples."""
        return self.guidance > 1

    def answer(self, dims: int) -> str:
        """Say in words what an answer is; see `HeadConfig.answer`."""
        return f'{self.chunk} actions in {self.steps} steps'

    def check(self, vocab: int) -> None:
        """Check that the prompt's last tokens are some.

        Raises:
            ValueError: When one is not.
        """
        largest = max(self.prompt_tail, default=0)
        require(
            largest < vocab,
            f'prompt_tail has token {largest}, which is beyond the vocabulary of {vocab}',
        )
