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

"""What a server tells of itself at connection: taken where it fits, else refused by name."""

import numpy as np
import pytest

from vla_accel_ros.remote.convention import declared
from vla_accel_ros.remote.errors import RemoteMismatchError
from vla_accel_ros.remote.metadata import OWN, RESET, Declaration, agree
from vla_accel_ros.remote.settings import RemoteSettings
from vla_accel_ros.remote.wire import pack, unpack

SETTINGS = RemoteSettings(remote='ws://here:1')
ROW = [0.01, 0.0, 0.0, 0.0, 0.0, 0.1, 1.0]


def agreed(**told):
    return agree(SETTINGS, 0, {OWN: {'actions': declared(), **told}})


def test_what_our_own_server_declares_is_taken():
    metadata = Declaration('tabletop-s', ('observation/image',), 224).metadata()
    found = agree(SETTINGS, 0, unpack(pack(metadata)))
    assert found.convention.read(ROW).tolist() == [ROW] and RESET in found.extras


def test_a_refusal_that_quotes_the_server_is_one_short_line():
    with pytest.raises(RemoteMismatchError) as raised:
        agreed(actions={**declared(), 'gripper': 'a\nb' * 10_000})
    assert '\n' not in str(raised.value) and len(str(raised.value)) == 2000


def test_extras_that_are_no_texts_are_passed_over():
    assert agreed(extras=[{'a': 1}, np.zeros(2), RESET]).extras == {RESET}


@pytest.mark.parametrize(
    ('told', 'words'),
    [
        ({'images': ['a', 'b']}, r"wants images \['a', 'b'\], the parameters say .*remote_images"),
        ({'image_size': 96}, 'wants image_size 96, the parameters say 224'),
        ({'image_size': np.zeros(2)}, 'declares what cannot be compared'),
        ({'images': [np.zeros(2)]}, 'declares what cannot be compared'),
        ({'actions': {}}, 'does not say what its actions mean: set remote_metres'),
        ({'actions': {**declared(), 'metres': -1.0}}, 'remote_metres is -1.0, expected 0 to 10'),
        ({'actions': {**declared(), 'metres': np.nan}}, 'remote_metres is nan'),
        ({'actions': {**declared(), 'metres': 'one'}}, "remote_metres is 'one'"),
        ({'actions': {**declared(), 'radians': 10**30}}, 'remote_radians is 1000'),
        ({'actions': {**declared(), 'radians': np.zeros(3)}}, 'remote_radians is array'),
        ({'actions': {**declared(), 'columns': [np.zeros(2)] * 7}}, 'cannot be compared'),
        ({'actions': {**declared(), 'gripper': np.zeros(2)}}, 'cannot be compared'),
    ],
)
def test_what_does_not_fit_or_is_nonsense_is_refused_by_name(told, words):
    with pytest.raises(RemoteMismatchError, match=words):
        agreed(**told)
