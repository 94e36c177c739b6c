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

"""Prompts and their token ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
import re
from typing import TYPE_CHECKING

from vla_accel_ros.inputs.instructions import check_instruction
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.tokenizer_file import (
    BOS,
    TOKENIZER,
    UNKNOWN,
    TokenizerError,
    UnknownTextError,
    load_text_encoder,
    unknown_words,
)

if TYPE_CHECKING:
    import numpy as np

EOS, PAD = '</s>', '<pad>'
_SYSTEM = (
    'A chat between a curious user and an artificial intelligence assistant. The assistant gives '
    "helpful, detailed, and polite answers to the user's questions."
)
_TEMPLATES = {
    'v0.2': 'In: What action should the robot take to {}?\nOut:',
    'v0.1': _SYSTEM + ' USER: What action should the robot take to {}? ASSISTANT:',
}
_WORDS = re.compile(r'\w+|[^\w\s]+')


def build_prompt(instruction: str, style: str = 'v0.2') -> str:
    """Put an instruction into the prompt that the model was trained with.

    Args:
        instruction: What to do, in words.
        style: `v0.2` or `v0.1`.

    Raises:
        TokenizerError: When the instruction is empty, too long or has control characters.
        ValueError: When the style is unknown.
    """
    checked_instruction(instruction)
    if style not in _TEMPLATES:
        raise ValueError(f"prompt style '{style}' is not one of {sorted(_TEMPLATES)}")
    return _TEMPLATES[style].format(instruction.lower())


def checked_instruction(instruction: str) -> str:
    """Give an instruction as it is.

    Raises:
        TokenizerError: When it is empty, too long or has control characters.
    """
    try:
        check_instruction(instruction)
    except ValueError as error:
        raise TokenizerError(str(error)) from None
    return instruction


class PromptEncoder:
    """From an instruction to the token ids of the whole prompt.

    Args:
        encode: Gives a text's token ids, BOS first.
        style: Prompt style.
        end: Token that must end the prompt, appended if it does not, or None.
        tail: Tokens that are appended whatever the prompt ends with.

    Attributes:
        reads_state: Whether the state of the robot is part of the prompt.
    """

    reads_state = False

    def __init__(
        self,
        encode: Callable[[str], list[int]],
        style: str = 'v0.2',
        end: int | None = 29871,
        tail: tuple[int, ...] = (),
    ) -> None:
        self._encode, self._style, self._end, self._tail = encode, style, end, tail

    def words(self, instruction: str) -> slice | None:
        """Say which ids of a prompt are the words of the instruction; None where all may be."""
        return None

    def __call__(self, instruction: str, state: np.ndarray | None = None) -> list[int]:
        """Give the prompt's ids.

        Args:
            instruction: What to do.
            state: float [numbers], normalised proprioception, where `reads_state`; what is said
                of a prompt without it holds for one of an unknown state.

        Raises:
            TokenizerError: When the instruction is empty, too long, has control characters, or a
                word that a word-level vocabulary lacks.
        """
        prompt = build_prompt(instruction, self._style)
        try:
            return [*end_prompt(self._encode(prompt), self._end), *self._tail]
        except UnknownTextError as error:
            begin = _TEMPLATES[self._style].index('{}')
            end = begin + len(instruction.lower())
            # A tokeniser takes punctuation that ends the instruction together with the prompt's.
            own = {prompt[a : min(b, end)] for a, b in error.spans if begin <= a < end}
            if own:
                raise TokenizerError(unknown_words(own)) from None
            raise TokenizerError(
                f'{error}, which stand in the prompt itself: does the tokeniser belong to this '
                'checkpoint?'
            ) from None


class FixedPrompt(PromptEncoder):
    """The same prompt for any instruction, for models with random weights.

    Args:
        ids: Its token ids.
    """

    def __init__(self, ids: list[int]) -> None:
        super().__init__(lambda text: ids)
        self._ids = ids

    def __call__(self, instruction: str, state: np.ndarray | None = None) -> list[int]:
        """Give the ids."""
        return self._ids


def end_prompt(ids: list[int], end: int | None) -> list[int]:
    """Append the token that must end the prompt, if it is not there."""
    return ids if end is None or ids[-1:] == [end] else [*ids, end]


def vocabulary(instructions: Iterable[str], style: str = 'v0.2') -> list[str]:
    """Give the words of a word-level vocabulary: special tokens, the prompt's, instructions'."""
    words = set()
    for instruction in instructions:
        words.update(_WORDS.findall(build_prompt(instruction, style)))
    return [UNKNOWN, BOS, EOS, PAD, *sorted(words)]


def write_tokenizer(words: list[str], folder: str | Path) -> None:
    """Write a word-level `tokenizer.json`.

    Args:
        words: From `vocabulary`; a word's place is its id.
        folder: The checkpoint's.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token=UNKNOWN)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f'{BOS} $A', special_tokens=[(BOS, words.index(BOS))]
    )
    tokenizer.save(str(Path(folder) / TOKENIZER))


def load_prompt_encoder(folder: str | Path, config: VLAConfig) -> PromptEncoder:
    """Load the tokeniser of a checkpoint folder.

    Args:
        folder: Holds `tokenizer.json`, or Llama's `tokenizer.model`.
        config: Says the prompt's style and end.

    Raises:
        TokenizerError: When neither file is there, it cannot be read, or it has tokens that the
            model has not.
    """
    encode = load_text_encoder(folder, config.decoder.vocab)
    return PromptEncoder(encode, config.prompt, config.prompt_end, config.head.prompt_tail)


def check_length(words: int, config: VLAConfig) -> None:
    """Check that a prompt, with all that stands before and behind it, is not too long.

    Args:
        words: Tokens of the prompt, BOS included.
        config: Of the model.

    Raises:
        TokenizerError: When the model was not made for that many positions.
    """
    length = config.visual_tokens + words + config.behind
    longest = config.decoder.max_positions
    if length > longest:
        raise TokenizerError(
            f'the instruction makes a prompt of {words} tokens, {length} positions with images '
            f'and answer: the model was made for {longest}'
        )
