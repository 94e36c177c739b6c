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

from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.files.links import dangling
from vla_accel_ros.inputs.instructions import check_instruction
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, parse, read_text
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.sentencepiece_file import read_pieces

if TYPE_CHECKING:
    import numpy as np

UNKNOWN, BOS, EOS, PAD = '<unk>', '<s>', '</s>', '<pad>'
TOKENIZER, LLAMAS = 'tokenizer.json', 'tokenizer.model'
_SYSTEM = (
    'A chat between a curious user and an artificial intelligence assistant. The assistant gives '
    "helpful, detailed, and polite answers to the user's questions."
)
_TEMPLATES = {
    'v0.2': 'In: What action should the robot take to {}?\nOut:',
    'v0.1': _SYSTEM + ' USER: What action should the robot take to {}? ASSISTANT:',
}
_WORDS = re.compile(r'\w+|[^\w\s]+')


# Of more unknown words than this the rest is counted.
MOST_NAMED = 8


class TokenizerError(ValueError):
    """A tokeniser that cannot be loaded, or an instruction that it cannot take."""


class UnknownTextError(TokenizerError):
    """Parts of a text that a vocabulary lacks.

    Attributes:
        spans: Where they begin and end in the text.
    """

    def __init__(self, text: str, spans: list[tuple[int, int]]) -> None:
        super().__init__(_unknown({text[a:b] for a, b in spans}))
        self.spans = spans


def _unknown(words: Iterable[str]) -> str:
    words = sorted(words)
    more = f' and {len(words) - MOST_NAMED} more' if len(words) > MOST_NAMED else ''
    return f'the checkpoint does not know the words {words[:MOST_NAMED]}{more}'


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
                raise TokenizerError(_unknown(own)) from None
            raise TokenizerError(
                f'{error}, which stand in the prompt itself: does the tokeniser belong to this '
                'checkpoint?'
            ) from None


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


def _from_json(file: Path, rows: int, begin: str) -> Callable[[str], list[int]]:
    from tokenizers import Tokenizer

    try:
        text = read_text(file)
        parse(text, file)
        tokenizer = Tokenizer.from_str(text)
        # A prompt is neither cut nor filled up, whatever the file was used for before.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        highest = max(tokenizer.get_vocab().values(), default=-1)
    except CheckpointError as error:
        raise TokenizerError(str(error)) from error
    except BaseException as error:  # the library raises bare exceptions, and panics
        raise _unreadable(file, error) from error
    unknown = tokenizer.token_to_id(UNKNOWN)
    bos = tokenizer.token_to_id(begin)
    _check_ids(file, bos, highest, rows, begin)

    def encode(text: str) -> list[int]:
        try:
            # BOS is put there below: a file's own template may name a token that is none.
            encoded = tokenizer.encode(text, add_special_tokens=False)
        except BaseException as error:  # as above
            raise _unreadable(file, error) from error
        if unknown is not None and unknown in encoded.ids:
            raise UnknownTextError(
                text,
                [
                    span
                    for i, span in zip(encoded.ids, encoded.offsets, strict=True)
                    if i == unknown
                ],
            )
        return encoded.ids if encoded.ids[:1] == [bos] else [bos, *encoded.ids]

    return encode


def _unreadable(file: Path, error: BaseException) -> BaseException:
    """Give the error to raise for what a library raised, panics of its native code included."""
    if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
        return error
    return TokenizerError(f'{file} cannot be read: {error}')


def _check_ids(file: Path, bos: int | None, highest: int, rows: int, begin: str = BOS) -> None:
    if bos is None or bos < 0:
        raise TokenizerError(f"{file} has no token '{begin}', which begins every prompt")
    if highest >= rows:
        raise TokenizerError(
            f'{file} has a token {highest}, the model has {rows} rows of embeddings: they do not '
            'belong together'
        )


def _from_sentencepiece(file: Path, rows: int) -> Callable[[str], list[int]]:
    try:
        pieces = read_pieces(file)
    except CheckpointError as error:
        raise TokenizerError(str(error)) from error
    _check_ids(file, pieces.bos, pieces.count - 1, rows)
    return lambda text: [pieces.bos, *pieces.encode(text)]


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


def load_text_encoder(
    folder: str | Path, rows: int, begin: str = BOS, remedy: str = ''
) -> Callable[[str], list[int]]:
    """Load what gives a text's token ids, BOS first.

    Args:
        folder: Holds `tokenizer.json` or `tokenizer.model`.
        rows: Of the model's embedding table.
        begin: How a `tokenizer.json` calls BOS.
        remedy: What to do where neither is there.

    Raises:
        TokenizerError: As `load_prompt_encoder`.
    """
    folder = Path(folder)
    own, llamas = folder / TOKENIZER, folder / LLAMAS
    for file in (own, llamas):
        if why := dangling(file) or complaint(file):
            raise TokenizerError(why)
    if own.exists():
        return _from_json(own, rows, begin)
    if llamas.exists():
        return _from_sentencepiece(llamas, rows)
    told = f': {remedy}' if remedy else ''
    raise TokenizerError(f'{folder} holds neither {TOKENIZER} nor {LLAMAS}{told}')


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
