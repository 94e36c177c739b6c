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

"""openpi's messages: what `openpi-client` writes is read here, and the other way round."""

import msgpack
import numpy as np
from openpi_client import msgpack_numpy
import pytest

from vla_accel_ros.remote.wire import WireError, pack, unpack

MESSAGE = {
    'observation/image': np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
    'observation/state': np.array([0.5, -1.0], np.float32),
    'actions': np.arange(14.0).reshape(2, 7),
    'prompt': 'pick up the red cube',
    'flag': np.bool_(True),
    'rate': np.float32(0.25),
    'nested': {'infer_ms': 1.5, 'names': ['x', 'y']},
    'empty': np.zeros((0, 7)),
}


@pytest.mark.parametrize(
    ('write', 'read'),
    [(pack, msgpack_numpy.unpackb), (msgpack_numpy.packb, unpack), (pack, unpack)],
    ids=['ours to theirs', 'theirs to ours', 'ours to ours'],
)
def test_messages_are_those_of_openpi_client(write, read):
    found = read(write(MESSAGE))
    assert set(found) == set(MESSAGE)
    for key, value in MESSAGE.items():
        if isinstance(value, np.ndarray | np.generic):
            assert found[key].dtype == value.dtype and np.array_equal(found[key], value)
        else:
            assert found[key] == value


def test_our_bytes_are_theirs():
    assert pack(MESSAGE) == msgpack_numpy.packb(MESSAGE)


@pytest.mark.parametrize('value', [np.array(['text']), np.array([object()]), object(), 1j])
def test_what_has_no_form_on_the_wire_is_refused(value):
    with pytest.raises(TypeError, match='no form on the wire'):
        pack({'value': value})


def array(**changed):
    entries = {'__ndarray__': True, 'data': bytes(8), 'dtype': '<f4', 'shape': [2], **changed}
    return msgpack.packb({key.encode(): value for key, value in entries.items()})


def number(value, dtype):
    return msgpack.packb({b'__npgeneric__': True, b'data': value, b'dtype': dtype})


@pytest.mark.parametrize(
    ('data', 'words'),
    [
        (b'', 'no msgpack message'),
        (b'\xc1', 'no msgpack message'),
        (pack({'a': 1})[:-1], 'no msgpack message'),
        (pack({'a': 1}) + b'\x01', 'no msgpack message'),
        (array(shape=[3]), 'has 8 bytes, expected 12 bytes'),
        (array(shape=[2**40, 2**40]), 'has 8 bytes'),
        (array(shape=[-2]), r'shape \[-2\]'),
        (array(shape='many'), "shape 'many'"),
        (array(dtype='O'), "dtype 'O'"),
        (array(dtype='<M8[s]'), 'dtype'),
        (array(dtype='f4,f4'), 'dtype'),
        (array(dtype='nonsense'), "dtype 'nonsense'"),
        (array(dtype=','), "dtype ','"),
        (array(dtype=None), 'dtype None'),
        (array(data=7), 'has int'),
        (number(300, '|u1'), 'no msgpack message: Python integer 300 out of bounds'),
        (number(float('inf'), '<i8'), 'no msgpack message: cannot convert float infinity'),
    ],
)
def test_bytes_that_are_no_message_are_refused_by_name(data, words):
    with pytest.raises(WireError, match=words):
        unpack(data)
