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

"""Pickles of a hostile server: refused by name, in little time, and never run."""

from io import BytesIO
import pickle
import random
import subprocess

from lerobot_policy_server import MODULE, Command, TimedAction, install, timed
import numpy as np
import pytest
import torch

from vla_accel_ros.remote.lerobot_wire import pieces, read_actions, read_bytes, write_bytes
from vla_accel_ros.remote.pickle_reader import Budget, PickleReader
from vla_accel_ros.remote.pickled_tensors import read_storage
from vla_accel_ros.remote.wire import WireError

STEP, STAMP = 7, 1.5e9


class Question:
    """What an answer belongs to."""

    timestep, timestamp = STEP, STAMP


@pytest.fixture(autouse=True)
def classes():
    install()


def answer(chunk):
    return timed(chunk, Question)


def read(value, protocol=4):
    data = value if isinstance(value, bytes) else pickle.dumps(value, protocol)
    return read_actions(data, STEP, STAMP)


def nested(depth):
    """Give a list in a list in a list."""
    return b'\x80\x04' + b']' * depth + b'a' * (depth - 1) + b'.'


@pytest.mark.parametrize('protocol', [3, 4, 5])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_a_chunk_is_read_as_torch_reads_it(protocol, dtype):
    chunk = torch.linspace(-2, 2, 21).reshape(3, 7).to(dtype)
    assert np.array_equal(read(answer(chunk), protocol), chunk.double().numpy())


def test_views_of_any_step_are_read_and_no_more_than_their_storage():
    chunk = torch.arange(24.0).reshape(4, 6).T[:, 1:]
    assert np.array_equal(read(answer(chunk)), chunk.numpy())
    beyond = pickle.dumps(answer(torch.zeros(1, 7))).replace(b'K\x00K\x07\x85', b'K\x01K\x07\x85')
    with pytest.raises(WireError, match='7 numbers from 1 is not within its storage of 7'):
        read(beyond)


def test_the_answer_to_another_question_is_no_answer():
    data = pickle.dumps(answer(torch.zeros(2, 7)))
    assert read_actions(data, STEP + 1, STAMP) is None
    assert read_actions(data, STEP, STAMP + 1) is None


class Calls:
    """Pickled, it calls whatever is given."""

    def __init__(self, what, *arguments):
        self._call = what, arguments

    def __reduce__(self):
        return self._call


@pytest.mark.parametrize(
    ('value', 'name'),
    [
        (Command('true'), 'posix.system'),
        (Calls(eval, '1'), 'builtins.eval'),
        (Calls(getattr, 'a', 'upper'), 'builtins.getattr'),
        (Calls(subprocess.run, ['true']), 'subprocess.run'),
        (random.Random, 'random.Random'),
        (torch.nn.Linear, 'torch.nn.modules.linear.Linear'),
        (np.zeros(2), 'numpy.*which is none of this protocol'),
        ({1, 2}, 'EMPTY_SET'),
        (bytearray(2), 'BYTEARRAY8'),
    ],
)
@pytest.mark.parametrize('where', ['alone', 'in a row', 'as an attribute'])
def test_what_is_not_of_the_protocol_is_refused_by_its_name(value, name, where):
    rows = answer(torch.zeros(2, 7))
    if where == 'in a row':
        rows[1].action = value
    elif where == 'as an attribute':
        rows[0].more = value
    with pytest.raises(WireError, match=name):
        read(value if where == 'alone' else rows, 5)


def test_a_command_within_a_storage_is_refused():
    storage = torch.zeros(2).untyped_storage()
    file = BytesIO()
    torch.save(torch.zeros(2), file, _use_new_zipfile_serialization=False)
    assert len(storage) == 8
    inner = pickle.dumps(Command('true'), 2)
    with pytest.raises(WireError, match=r'posix\.system'):
        read_storage(inner + file.getvalue(), Budget())
    load = Calls(torch.storage._load_from_bytes, inner)
    with pytest.raises(WireError, match=r'posix\.system'):
        read([TimedAction(STAMP, STEP, load)])


@pytest.mark.parametrize(
    ('data', 'words'),
    [
        # A function of the protocol that is called with what it does not take.
        (b'ccollections\nOrderedDict\n(]tR.', 'takes 0 positional arguments'),
        (b'ctorch.storage\n_load_from_bytes\n(K\x01tR.', 'a storage is no bytes'),
        (b'ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x00))tR.', 'has no storage'),
        (f'c{MODULE}\nTimedAction\n(K\x01tR.'.encode(), 'calls what is no function'),
        (f'c{MODULE}\nTimedAction\n(K\x01t\x81.'.encode('latin-1'), 'none of this protocol'),
        (
            f'c{MODULE}\nTimedAction\n)\x81K\x01b.'.encode('latin-1'),
            'object of int, expected a map',
        ),
        (f'c{MODULE}\nTimedObservation\n.'.encode(), 'TimedObservation'),
        # Names made of numbers, of nothing, and of what lies outside.
        (b'\x80\x04K\x01K\x02\x93.', 'names something without a name'),
        (b'\x80\x04K\x01Q.', 'something outside of it'),
        # Lengths that are not there, and memos that are far away.
        (b'\x80\x04B\xff\xff\xff\xffabc.', 'damaged'),
        (b'\x80\x04\x8e' + b'\xff' * 8 + b'abc.', 'BINBYTES8'),
        (b'\x80\x04\x8b' + b'\xff' * 4 + b'1.', 'LONG4'),
        (b'\x80\x04K\x01r\xff\xff\xff\x7f.', 'the answer is int'),
        (b'\x80\x04j\xff\xff\xff\x7f.', 'damaged'),
        (b'I' + b'9' * 5000 + b'\n.', "the step 'INT'"),
        # Keys that could take long, or cannot be keys.
        (b'\x80\x04}](K\x01s.', 'keys are no texts'),
        (b'\x80\x04}]K\x01s.', 'keys are no texts'),
        (b'\x80\x04K\x01K\x02a.', 'fills what cannot be filled'),
        (b'', "the step b''"),
        (b'\x80\x04.', 'damaged'),
        (b'\x80\x04t.', 'damaged'),
        (b'\x80\x04\x85.', 'takes more than it has'),
        (b'\x80\x04N.', 'the answer is NoneType'),
        (b'\x80\x04].', 'the answer has 0 actions'),
        (b'\x80\x04](K\x01K\x02e.', 'the answer is list, expected a list of timed actions'),
    ],
)
def test_damaged_pickles_are_named(data, words):
    with pytest.raises(WireError, match=words):
        read(data)


def test_depth_costs_nothing_and_length_ends():
    assert nested(3) == b'\x80\x04]]]aa.'
    with pytest.raises(WireError, match='expected a list of timed actions'):
        read(nested(100_000))
    with pytest.raises(WireError, match='more than 250000 steps'):
        read(nested(200_000))
    # A storage that is read again and again counts as well.
    inner = b'\x80\x02' + b'N' * 200_000 + b'.'
    with pytest.raises(WireError, match='more than 250000 steps'):
        PickleReader(
            {'torch.storage._load_from_bytes': lambda data: read_storage(data, budget)},
            budget=(budget := Budget(100_000)),
        ).read(BytesIO(pickle.dumps(Calls(torch.storage._load_from_bytes, inner))))


@pytest.mark.parametrize(
    ('changed', 'words'),
    [
        ({'timestep': 'one'}, 'an action without its timestep'),
        ({'timestep': STEP + 5}, 'do not follow one another'),
        ({'action': 1.0}, 'an action that is no tensor'),
        ({'action': torch.zeros(2, 2)}, '2 dimensions'),
        ({'action': torch.zeros(2)}, r'\[2, 7\] columns'),
        ({'action': torch.zeros(7, dtype=torch.complex64)}, 'ComplexFloatStorage'),
    ],
)
def test_an_action_that_is_none_is_named(changed, words):
    rows = answer(torch.zeros(3, 7))
    vars(rows[1]).update(changed)
    with pytest.raises(WireError, match=words):
        read(rows)


def test_too_many_rows_are_refused():
    with pytest.raises(WireError, match='1001 actions, expected 1 to 1000'):
        read(answer(torch.zeros(1001, 1)))


def test_random_damage_gives_an_array_or_one_kind_of_error():
    good, chance = pickle.dumps(answer(torch.rand(2, 7))), random.Random(3)
    refused = 0
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            found = read(bytes(data[: chance.choice([None, chance.randrange(len(data))])]))
            assert found is None or found.ndim == 2
        except WireError:
            refused += 1
    assert 1000 < refused < 3000


def test_fields_of_a_message_are_found_among_others():
    data = b'x' * 300
    others = b'\x10\x96\x01' + b'\x19' + b'8' * 8 + b'\x25' + b'4' * 4 + write_bytes(9, b'no')
    assert read_bytes(others + write_bytes(1, data) + others, 1) == data
    assert read_bytes(others, 1) == read_bytes(b'', 1) == b''


@pytest.mark.parametrize(
    ('message', 'words'),
    [
        (b'\x0a\x05abc', 'cut off'),
        (b'\x0a', 'does not end'),
        (b'\xff' * 12, 'does not end'),
        (b'\x0b', 'a field of kind 3'),
        (b'\x0a' + b'\xff' * 8 + b'\x7f', 'cut off'),
    ],
)
def test_a_damaged_message_is_named(message, words):
    with pytest.raises(WireError, match=words):
        read_bytes(message, 1)


def test_a_stream_begins_goes_on_and_ends():
    states = {size: [piece[1] for piece in pieces(bytes(size))] for size in (1, 2**21, 5 * 2**20)}
    assert states == {1: [3], 2**21: [3], 5 * 2**20: [1, 2, 3]}
