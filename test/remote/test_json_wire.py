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

"""OpenVLA's messages: as the package `json_numpy` writes and reads them."""

import json

import json_numpy
import numpy as np
import pytest

from vla_accel_ros.remote.json_wire import dumps, loads
from vla_accel_ros.remote.wire import WireError

IMAGE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
ROWS = np.arange(14.0).reshape(2, 7)


def test_an_observation_is_read_by_json_numpy():
    found = json_numpy.loads(
        dumps({'image': IMAGE, 'instruction': 'lift', 'scale': np.float32(2)})
    )
    assert np.array_equal(found['image'], IMAGE) and found['image'].dtype == np.uint8
    assert found['instruction'] == 'lift' and found['scale'] == 2


@pytest.mark.parametrize(
    'text',
    [
        json_numpy.dumps(ROWS),
        json_numpy.dumps(list(ROWS)),
        json.dumps(json_numpy.dumps(ROWS)),
        json.dumps(ROWS.tolist()),
    ],
    ids=['an array', 'a list of arrays', 'encoded twice', 'plain lists'],
)
def test_actions_are_read_in_every_form_that_servers_give(text):
    assert np.array_equal(np.array(loads(text)), ROWS)


def test_a_number_is_read():
    assert loads(json_numpy.dumps({'value': np.float64(0.5)})) == {'value': 0.5}


def array(**changed):
    return json.dumps({'__numpy__': 'AAAAAAAAAAA=', 'dtype': '<f4', 'shape': [2], **changed})


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('<html>', 'no JSON'),
        (array(shape=[3]), 'has 8 bytes'),
        (array(dtype='O'), 'dtype of numbers'),
        (array(dtype='nonsense'), 'cannot be read'),
        (array(dtype=','), 'cannot be read'),
        (array(shape=[-2]), r'shape \[-2\]'),
        (array(__numpy__=7), 'cannot be read'),
        ('[' * 100_000, 'no JSON: maximum recursion'),
        (f'"{"[" * 100_000}"', 'no JSON: maximum recursion'),
    ],
)
def test_text_that_is_no_message_is_refused_by_name(text, words):
    with pytest.raises(WireError, match=words):
        loads(text)
