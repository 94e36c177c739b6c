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

"""Files of tokenisers: what gives the token ids of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.files.links import dangling
from vla_accel_ros.models.checkpoints.json_file import CheckpointError, parse, read_text

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

UNKNOWN, BOS = '<unk>', '<s>'
TOKENIZER, LLAMAS = 'tokenizer.json', 'tokenizer.model'
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
        super().__init__(unknown_words({text[a:b] for a, b in spans}))
        self.spans = spans


def unknown_words(words: Iterable[str]) -> str:
    """Say which words a vocabulary lacks, the first few by name."""
    words = sorted(words)
    more = f' and {len(words) - MOST_NAMED} more' if len(words) > MOST_NAMED else ''
    return f'the checkpoint does not know the words {words[:MOST_NAMED]}{more}'


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


def read_tokenizer(file: Path, rows: int) -> Tokenizer:
    """Read a `tokenizer.json`; a prompt is neither cut nor filled up, whatever it was used for.

    Args:
        file: The file.
        rows: Of the model's embedding table.

    Raises:
        TokenizerError: When it cannot be read, or has tokens that the model has not.
    """
    from tokenizers import Tokenizer

    try:
        text = read_text(file)
        parse(text, file)
        tokenizer = Tokenizer.from_str(text)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        highest = max(tokenizer.get_vocab().values(), default=-1)
    except CheckpointError as error:
        raise TokenizerError(str(error)) from error
    except BaseException as error:  # the library raises bare exceptions, and panics
        raise _unreadable(file, error) from error
    _check_rows(file, highest, rows)
    return tokenizer


def encoded(tokenizer: Tokenizer, text: str, file: Path) -> Encoding:
    """Encode a text without the tokens of a file's own template, which may name one that is none.

    Raises:
        TokenizerError: When the library fails.
    """
    try:
        return tokenizer.encode(text, add_special_tokens=False)
    except BaseException as error:  # as above
        raise _unreadable(file, error) from error


def _from_json(file: Path, rows: int, begin: str) -> Callable[[str], list[int]]:
    tokenizer = read_tokenizer(file, rows)
    unknown = tokenizer.token_to_id(UNKNOWN)
    bos = tokenizer.token_to_id(begin)
    _check_bos(file, bos, begin)

    def encode(text: str) -> list[int]:
        found = encoded(tokenizer, text, file)
        if unknown is not None and unknown in found.ids:
            places = zip(found.ids, found.offsets, strict=True)
            raise UnknownTextError(text, [span for i, span in places if i == unknown])
        return found.ids if found.ids[:1] == [bos] else [bos, *found.ids]

    return encode


def _unreadable(file: Path, error: BaseException) -> BaseException:
    """Give the error to raise for what a library raised, panics of its native code included."""
    if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
        return error
    return TokenizerError(f'{file} cannot be read: {error}')


def _check_bos(file: Path, bos: int | None, begin: str = BOS) -> None:
    if bos is None or bos < 0:
        raise TokenizerError(f"{file} has no token '{begin}', which begins every prompt")


def _check_rows(file: Path, highest: int, rows: int) -> None:
    if highest >= rows:
        raise TokenizerError(
            f'{file} has a token {highest}, the model has {rows} rows of embeddings: they do not '
            'belong together'
        )


def _from_sentencepiece(file: Path, rows: int) -> Callable[[str], list[int]]:
    from sentencepiece import SentencePieceProcessor

    try:
        processor = SentencePieceProcessor(model_file=str(file))
    except (RuntimeError, OSError, ValueError) as error:
        # The last is of a message that quotes bytes of the file which are no text.
        raise TokenizerError(f'{file} is no SentencePiece model: {error}') from error
    bos = processor.bos_id()
    _check_bos(file, bos)
    _check_rows(file, processor.vocab_size() - 1, rows)
    return lambda text: [bos, *processor.encode(text)]
