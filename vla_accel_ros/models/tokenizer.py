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

from .config import VLAConfig

UNKNOWN, BOS, EOS, PAD = '<unk>', '<s>', '</s>', '<pad>'
TOKENIZER = 'tokenizer.json'
_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions."
)
_TEMPLATES = {
    'v0.2': 'In: What action should the robot take to {}?\nOut:',
    'v0.1': _SYSTEM + ' USER: What action should the robot take to {}? ASSISTANT:',
}
_WORDS = re.compile(r'\w+|[^\w\s]+')


class TokenizerError(ValueError):
    """A tokeniser that cannot be loaded, or words that it does not know."""


def build_prompt(instruction: str, style: str = 'v0.2') -> str:
    """Put an instruction into the prompt that the model was trained with.

    Args:
        instruction: What to do, in words.
        style: `v0.2` or `v0.1`.

    Raises:
        ValueError: When the instruction is empty or the style unknown.
    """
    if not instruction.strip():
        raise ValueError('the instruction is empty')
    if style not in _TEMPLATES:
        raise ValueError(f"prompt style '{style}' is not one of {sorted(_TEMPLATES)}")
    return _TEMPLATES[style].format(instruction.lower())


class PromptEncoder:
    """From an instruction to the token ids of the whole prompt.

    Args:
        encode: Gives a text's token ids, BOS first.
        style: Prompt style.
        end: Token that must end the prompt, appended if it does not, or None.
    """

    def __init__(
        self, encode: Callable[[str], list[int]], style: str = 'v0.2', end: int | None = 29871,
    ) -> None:
        self._encode, self._style, self._end = encode, style, end

    def __call__(self, instruction: str) -> list[int]:
        """Give the prompt's ids.

        Raises:
            TokenizerError: When the instruction has a word that a word-level vocabulary lacks.
        """
        return end_prompt(self._encode(build_prompt(instruction, self._style)), self._end)


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
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f'{BOS} $A', special_tokens=[(BOS, words.index(BOS))])
    tokenizer.save(str(Path(folder) / TOKENIZER))


def _from_json(file: Path) -> Callable[[str], list[int]]:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare exceptions
        raise TokenizerError(f'{file} cannot be read: {error}') from error
    unknown = tokenizer.token_to_id(UNKNOWN)
    bos = tokenizer.token_to_id(BOS)

    def encode(text: str) -> list[int]:
        encoded = tokenizer.encode(text)
        if unknown is not None and unknown in encoded.ids:
            strange = sorted({
                text[a:b] for i, (a, b) in zip(encoded.ids, encoded.offsets, strict=True)
                if i == unknown})
            raise TokenizerError(f'the checkpoint does not know the words {strange}')
        return encoded.ids if encoded.ids[:1] == [bos] else [bos, *encoded.ids]

    return encode


def _from_sentencepiece(file: Path) -> Callable[[str], list[int]]:
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError:
        raise TokenizerError(
            f'{file} needs the package sentencepiece, or a {TOKENIZER} beside it') from None
    try:
        processor = SentencePieceProcessor(model_file=str(file))
    except (RuntimeError, OSError) as error:
        raise TokenizerError(f'{file} cannot be read: {error}') from error
    return lambda text: [processor.bos_id(), *processor.encode(text)]


def load_prompt_encoder(folder: str | Path, config: VLAConfig) -> PromptEncoder:
    """Load the tokeniser of a checkpoint folder.

    Args:
        folder: Holds `tokenizer.json`, or Llama's `tokenizer.model`.
        config: Says the prompt's style and end.

    Raises:
        TokenizerError: When neither file is there, or it cannot be read.
    """
    folder = Path(folder)
    if (folder / TOKENIZER).exists():
        encode = _from_json(folder / TOKENIZER)
    elif (folder / 'tokenizer.model').exists():
        encode = _from_sentencepiece(folder / 'tokenizer.model')
    else:
        raise TokenizerError(f'{folder} holds neither {TOKENIZER} nor tokenizer.model')
    return PromptEncoder(encode, config.prompt, config.prompt_end)
