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

"""SentencePiece models: the original's token ids, bytes for what is unknown, bad files by name."""

import json

import numpy as np
import pytest

from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.sentencepiece_file import SPACE, Pieces, read_pieces


@pytest.fixture(scope='module')
def pieces(cogact_reference):
    return read_pieces(cogact_reference / 'tokenizer.model')


def test_prompts_become_the_ids_of_the_original(pieces, cogact_reference):
    said = json.loads((cogact_reference / 'inputs.json').read_text())
    with np.load(cogact_reference / 'outputs.npz') as stored:
        for number, prompt in said['prompts'].items():
            expected = stored[f'input_ids_{number}'][0].tolist()
            assert [pieces.bos, *pieces.encode(prompt)] == expected[:-2]
    assert (pieces.bos, pieces.eos, pieces.unknown, pieces.count) == (1, 2, 0, 512)


def test_a_character_that_no_piece_has_becomes_its_bytes(pieces):
    ids = pieces.encode('é')
    assert ids[-2:] == [3 + byte for byte in 'é'.encode()]


def small(**changes):
    scores = {'a': (3, -3.0), 'b': (4, -4.0), 'ab': (5, -1.0), 'ba': (6, -2.0), SPACE: (7, -5.0)}
    return Pieces(
        **{
            'scores': scores,
            'users': {},
            'bytes': (),
            'unknown': 0,
            'bos': 1,
            'eos': 2,
            'dummy_prefix': False,
            'single_spaces': False,
            'count': 8,
            **changes,
        }
    )


def test_the_pair_of_the_highest_score_is_joined_first_and_of_equals_the_left_one():
    assert small().encode('bab') == [4, 5]
    assert small().encode('abab') == [5, 5]
    assert small().encode('xa') == [0, 3]


def test_spaces_are_kept_or_put_in_front_or_made_one_as_the_model_says():
    assert small().encode('a  a') == [3, 7, 7, 3]
    assert small(dummy_prefix=True).encode('a') == [7, 3]
    assert small(single_spaces=True).encode(' a  a ') == [3, 7, 3]


def test_pieces_of_the_users_are_never_taken_apart():
    assert small(users={'ba': 9}).encode('aba') == [3, 9]


def varint(number):
    out = b''
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def message(*fields):
    """Write a message of numbers and bytes."""
    out = b''
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


PIECE = (1, message((1, b'a')))


@pytest.mark.parametrize(
    ('data', 'words'),
    [
        (b'', 'is no SentencePiece model'),
        (b'\xff' * 40, 'is no SentencePiece model'),
        (message(PIECE)[:-1], 'is no SentencePiece model'),
        (message(PIECE, (2, message((3, 1)))), r'of type 1, expected 2 .* tokenizer\.json'),
        (message(PIECE, (2, message((3, 2))), (3, message((2, b'map')))), 'normalised by a table'),
    ],
)
def test_a_file_that_is_not_understood_is_named(tmp_path, data, words):
    file = tmp_path / 'tokenizer.model'
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match=words) as caught:
        read_pieces(file)
    assert str(file) in str(caught.value)
