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

"""SmolVLA's prompt: the task and a newline, nothing in front and no template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.files.links import dangling
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.tokenizer import PromptEncoder, checked_instruction
from vla_accel_ros.models.tokenizer_file import TOKENIZER, TokenizerError, encoded, read_tokenizer

END = '\n'
VLM = 'HuggingFaceTB/SmolVLM2-500M-Video-Instruct'


def load_prompts(folder: Path, config: VLAConfig) -> PromptEncoder:
    """Load what makes token ids of a task.

    Args:
        folder: Holds `tokenizer.json`.
        config: The model's.

    Raises:
        TokenizerError: When the file is missing, cannot be read, or has tokens that the model has
            not.
    """
    file = folder / TOKENIZER
    if why := dangling(file) or complaint(file):
        raise TokenizerError(why)
    if not file.exists():
        raise TokenizerError(
            f'{folder} holds no {TOKENIZER}: public checkpoints need that of the vision language '
            f'model that they were made from, such as {VLM}, beside them'
        )
    tokenizer = read_tokenizer(file, config.decoder.vocab)
    return TaskPrompts(lambda text: encoded(tokenizer, text, file).ids, config.head.prompt_length)


class TaskPrompts(PromptEncoder):
    """From a task to the prompt's token ids.

    The newline is put behind the task where it does not end it, and what is beyond the longest
    prompt is cut off, as the original does both.

    Args:
        encode: Gives a text's token ids.
        longest: Tokens at most.
    """

    def __init__(self, encode: Callable[[str], list[int]], longest: int) -> None:
        super().__init__(encode)
        self._encode, self._longest = encode, longest

    def __call__(self, instruction: str, state: np.ndarray | None = None) -> list[int]:
        """Give the prompt's ids; see `PromptEncoder`."""
        checked_instruction(instruction.removesuffix(END))
        ended = instruction if instruction.endswith(END) else instruction + END
        return self._encode(ended)[: self._longest]
