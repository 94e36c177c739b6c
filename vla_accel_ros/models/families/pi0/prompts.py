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

"""pi0's and pi0.5's prompts, as token ids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vla_accel_ros.models.families.pi0.config import STATE, Pi0Config
from vla_accel_ros.models.normalisation import padded
from vla_accel_ros.models.tokenizer import PromptEncoder, checked_instruction
from vla_accel_ros.models.tokenizer_file import TokenizerError

BINS = 256
_TASK, _STATE, _ACTION = 'Task: {}', ', State: {};\n', 'Action: '
Encode = Callable[[str], list[int]]


def cleaned(instruction: str) -> str:
    """Give an instruction without underscores, line breaks and spaces around it."""
    return instruction.strip().replace('_', ' ').replace('\n', ' ')


def bins_of(state: np.ndarray) -> np.ndarray:
    """Give the bins int [numbers] of a normalised state: 0 to 255, and -1 for what is below -1."""
    edges = np.linspace(-1, 1, BINS + 1)[:-1]
    return np.digitize(state, edges) - 1


def state_text(instruction: str, state: np.ndarray) -> str:
    """Give pi0.5's prompt.

    Args:
        instruction: What to do, cleaned.
        state: float [numbers], normalised before it is written.
    """
    numbers = ' '.join(map(str, bins_of(state)))
    return _TASK.format(instruction) + _STATE.format(numbers) + _ACTION


class Pi0Prompts(PromptEncoder):
    """From an instruction, and a state where the text holds it, to the prompt's token ids.

    Args:
        encode: Gives a text's token ids, BOS first.
        config: The family's part.
    """

    def __init__(self, encode: Encode, config: Pi0Config) -> None:
        super().__init__(encode)
        self._encode, self._config = encode, config
        self.reads_state = config.prompt == STATE

    def ids(self, instruction: str, state: np.ndarray | None = None) -> list[int]:
        """Give the ids of a prompt of any length, of any instruction.

        Args:
            instruction: What to do.
            state: float [numbers], normalised, where the text holds it.
        """
        config = self._config
        text = cleaned(instruction) if config.clean else instruction
        if self.reads_state and state is not None:
            return self._encode(state_text(text, padded(state, config.prompt_numbers)))
        if config.clean:
            return [*self._encode(text), *self._encode('\n')[1:]]
        return self._encode(text if text.endswith('\n') else f'{text}\n')

    def __call__(self, instruction: str, state: np.ndarray | None = None) -> list[int]:
        """Give the prompt's ids; see `PromptEncoder`.

        Raises:
            TokenizerError: Likewise, and when the model was trained with shorter prompts only.
        """
        ids = self.ids(checked_instruction(instruction), state)
        longest = self._config.prompt_length
        if len(ids) > longest:
            raise TokenizerError(
                f'the instruction makes a prompt of {len(ids)} tokens, the model was trained with '
                f'at most {longest}'
            )
        return ids

    def words(self, instruction: str) -> slice:
        """Say which of the ids are the instruction's words; see `PromptEncoder.words`."""
        if not self.reads_state:
            return slice(1, None)
        text = cleaned(instruction) if self._config.clean else instruction
        begin = len(self._encode(_TASK.format('').rstrip()))
        return slice(begin, len(self._encode(_TASK.format(text))))
