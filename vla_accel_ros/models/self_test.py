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

"""What a policy is tried with before the robot moves: blank images, its own kind of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from vla_accel_ros.models.prediction import ImageIgnoredError, NotFiniteError
from vla_accel_ros.models.tokenizer_file import TokenizerError
from vla_accel_ros.observations import Observation

# These words stand in the prompt itself, so that every vocabulary knows them.
ANY_INSTRUCTION = 'take action'
# What the embedded arm is asked, and those who never saw it may be, too.
OF_THE_ARM = 'pick up the red cube'


class Tested(Protocol):
    """What is asked of a policy here."""

    image_size: int
    cameras: int
    proprio: Any

    def tokens_of(self, instruction: str) -> list[int]:
        """Give the prompt of an instruction."""

    def logits(self, observation: Observation) -> Any:
        """Give the first numbers of an answer."""

    def predict(self, observation: Observation) -> Any:
        """Answer an observation."""

    def reset(self) -> None:
        """Begin an episode."""


def understood(encode: Callable[[str], list[int]]) -> str:
    """Give an instruction that a checkpoint knows the words of: of the embedded arm, if it can.

    Args:
        encode: From an instruction to token ids.
    """
    try:
        encode(OF_THE_ARM)
    except TokenizerError:
        return ANY_INSTRUCTION
    return OF_THE_ARM


def blank(policy: Tested, level: int) -> Observation:
    """Give an observation that fits the policy: even images, proprioception mid-range.

    The instruction is one of the embedded arm's where it is understood: what an engine makes ready
    for its length serves the arm's other ones.

    Args:
        policy: The policy.
        level: Of all pixels, 0 to 255.
    """
    image = np.full((policy.image_size, policy.image_size, 3), level, np.uint8)
    proprio = policy.proprio.middle if policy.proprio else None
    instruction = understood(policy.tokens_of)
    return Observation((image,) * policy.cameras, instruction, proprio=proprio)


def difference_of_black_and_white(policy: Tested) -> float:
    """Give the largest difference between what a black and a white image lead to.

    Raises:
        ImageIgnoredError: When there is none.
        NotFiniteError: When one leads to NaN or infinity, in the model's numbers or in the
            actions in m and rad that are made of them.
    """
    black, white = (policy.logits(blank(policy, level)) for level in (0, 255))
    if not bool(black.isfinite().all() and white.isfinite().all()):
        raise NotFiniteError('the model gives numbers that are NaN or infinite')
    difference = float((black - white).abs().max())
    if difference == 0:
        raise ImageIgnoredError(
            'a black and a white image give the same numbers: the image is ignored'
        )
    _check_chunk(policy)
    return difference


def _check_chunk(policy: Tested) -> None:
    try:
        chunk = policy.predict(blank(policy, 127)).chunk_values
    finally:
        # What was answered here steers neither pruning nor drafts later.
        policy.reset()
    if not np.isfinite(chunk).all():
        raise NotFiniteError('the model gives actions that are NaN or infinite in m and rad')
