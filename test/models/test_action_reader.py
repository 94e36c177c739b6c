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

"""What a head gives is read as actions, or refused."""

import re

import numpy as np
import pytest

from vla_accel_ros.models.action_reader import ActionReader


@pytest.mark.parametrize('shape', [(7,), (0, 7), (3, 6), (1, 3, 7)])
def test_actions_of_another_shape_are_refused_with_it(small_config, shape):
    reader = ActionReader(small_config)
    with pytest.raises(ValueError, match=re.escape(f'{list(shape)}, expected [n, 7]')):
        reader(np.zeros(shape))


def test_a_chunk_is_read_row_by_row(small_config):
    reader = ActionReader(small_config)
    rows = np.linspace(-1, 1, 14).reshape(2, 7)
    np.testing.assert_array_equal(
        reader(rows), np.concatenate([reader(row[None]) for row in rows])
    )
