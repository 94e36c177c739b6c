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

"""SentencePiece models of byte-pair encoding, as Llama and Gemma have them: read and used.

Only what such files use is understood: pieces with scores, fallback to bytes, symbols of the
user's, and no normalisation of the text. The format is that of
https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
import re
import struct

from vla_accel_ros.models.checkpoints.json_file import CheckpointError

SPACE = '\u2581'
# Numbers of fields, and values, in the format.
_PIECES, _TRAINER, _NORMALISER = 1, 2, 3
_TEXT, _SCORE, _TYPE = 1, 2, 3
_MODEL_TYPE, _UNK, _BOS, _EOS = 3, 40, 41, 42
_CHARSMAP, _DUMMY_PREFIX, _EXTRA_SPACES, _ESCAPE = 2, 3, 4, 5
_BPE = 2
_NORMAL, _USER, _BYTE = 1, 4, 6
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Pieces:
    """A model of byte-pair encoding.

    Attributes:
        scores: By piece of text its id and its score; of two neighbours the pair with the higher
            score is joined first.
        users: Pieces that are never taken apart, with their ids.
        bytes: The id of each byte, for characters that no piece has; empty without fallback.
        unknown: Id of what cannot be said otherwise.
        bos: Id of the token that begins a text.
        eos: Id of the token that ends one.
        dummy_prefix: Whether a space is put in front of a text.
        single_spaces: Whether spaces at the ends go, and several become one.
        count: Tokens.
    """

    scores: dict[str, tuple[int, float]]
    users: dict[str, int]
    bytes: tuple[int, ...]
    unknown: int
    bos: int
    eos: int
    dummy_prefix: bool
    single_spaces: bool
    count: int

    @cached_property
    def _whole(self) -> re.Pattern[str] | None:
        words = sorted(self.users, key=len, reverse=True)
        return re.compile(f'({"|".join(map(re.escape, words))})') if words else None

    def encode(self, text: str) -> list[int]:
        """Give the ids of a text; nothing is put before or behind them."""
        if self.single_spaces:
            text = re.sub(' +', ' ', text.strip(' '))
        if self.dummy_prefix and text:
            text = f' {text}'
        text = text.replace(' ', SPACE)
        parts = self._whole.split(text) if self._whole else [text]
        return [
            token
            for part in parts
            for token in ([self.users[part]] if part in self.users else self._joined(part))
        ]

    def _joined(self, text: str) -> Iterator[int]:
        symbols = list(text)
        while True:
            best, place = float('-inf'), -1
            for i in range(len(symbols) - 1):
                found = self.scores.get(symbols[i] + symbols[i + 1])
                if found is not None and found[1] > best:
                    best, place = found[1], i
            if place < 0:
                break
            symbols[place : place + 2] = [symbols[place] + symbols[place + 1]]
        for symbol in symbols:
            if symbol in self.scores:
                yield self.scores[symbol][0]
            elif self.bytes:
                yield from (self.bytes[byte] for byte in symbol.encode())
            else:
                yield self.unknown


def read_pieces(file: Path) -> Pieces:
    """Read a `tokenizer.model`.

    Raises:
        CheckpointError: When it cannot be read, is damaged, or is of a kind that is not
            understood.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CheckpointError(f'{file} cannot be read: {error.strerror or error}') from error
    pieces, trainer, normaliser = [], {}, {}
    try:
        for number, value in _fields(data):
            if number == _PIECES:
                pieces.append(_piece(dict(_fields(value))))
            elif number == _TRAINER:
                trainer = dict(_fields(value))
            elif number == _NORMALISER:
                normaliser = dict(_fields(value))
        return _built(pieces, trainer, normaliser)
    except CheckpointError as error:
        raise CheckpointError(f'{file}: {error}') from None
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        raise CheckpointError(f'{file} cannot be read: it is no SentencePiece model') from error


def _piece(fields: dict) -> tuple[str, float, int]:
    (score,) = struct.unpack('<f', fields.get(_SCORE, bytes(4)))
    return fields[_TEXT].decode(), score, fields.get(_TYPE, _NORMAL)


def _built(pieces: list[tuple[str, float, int]], trainer: dict, normaliser: dict) -> Pieces:
    if not pieces:
        raise ValueError
    if (kind := trainer.get(_MODEL_TYPE, 1)) != _BPE:
        raise CheckpointError(
            f'the model is of type {kind}, expected {_BPE} (byte-pair encoding); put a '
            'tokenizer.json beside it'
        )
    if normaliser.get(_CHARSMAP) or not normaliser.get(_ESCAPE, 1):
        raise CheckpointError(
            'the text is normalised by a table, expected none; put a tokenizer.json beside it'
        )
    by_type: dict[int, list[int]] = {}
    for token, (_, _, kind) in enumerate(pieces):
        by_type.setdefault(kind, []).append(token)
    codes = {int(pieces[token][0][1:-1], 16): token for token in by_type.get(_BYTE, ())}
    return Pieces(
        {pieces[i][0]: (i, pieces[i][1]) for i in by_type.get(_NORMAL, ())},
        {pieces[i][0]: i for i in by_type.get(_USER, ())},
        tuple(codes[byte] for byte in range(256)) if codes else (),
        trainer.get(_UNK, 0),
        _signed(trainer.get(_BOS, 1)),
        _signed(trainer.get(_EOS, 2)),
        bool(normaliser.get(_DUMMY_PREFIX, 1)),
        bool(normaliser.get(_EXTRA_SPACES, 1)),
        len(pieces),
    )


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the numbers and values of a message's fields; the wire format of protocol buffers."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if wire == _BYTES:
            size, place = _varint(data, place)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError
        if place + size > len(data):
            raise ValueError
        yield number, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place, value, shift = place + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, place
