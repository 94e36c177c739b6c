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

"""How far a checkpoint can ask the arm to move in one step."""

import json
from math import hypot
import subprocess
import sys

import numpy as np
import pytest

from vla_accel_ros.models.action_tokens import ActionStatistics, UnnormKeyError
from vla_accel_ros.models.checkpoints.largest_step import largest_step
from vla_accel_ros.paths import checkpoint_folder


def test_it_is_the_longest_vector_within_the_statistics():
    low = np.array([-0.3, 0.0, -0.1, -0.1, 0.0, 0.0, 0.0])
    high = np.array([0.1, 0.4, 0.0, 0.2, 0.0, 0.0, 1.0])
    statistics = ActionStatistics(low, high, np.array([True] * 6 + [False]))
    assert statistics.largest_step() == pytest.approx((hypot(0.3, 0.4, 0.1), 0.2))


def test_a_column_that_is_stored_as_it_is_reaches_to_one():
    statistics = ActionStatistics(
        np.full(7, -0.1), np.full(7, 0.1), np.array([True, True, False] + [True] * 3 + [False])
    )
    assert statistics.largest_step()[0] == pytest.approx(hypot(0.1, 0.1, 1))


def test_the_shipped_checkpoints_move_centimetres():
    metres, radians = largest_step(checkpoint_folder('tabletop-s'))
    assert 0.01 < metres < 0.05
    assert 0.05 < radians < 0.2


def test_units_of_a_controller_are_brought_to_metres(reference, tmp_path):
    values = json.loads((reference / 'config.json').read_text())
    one = {'action': {'q01': [-1.0] * 7, 'q99': [1.0] * 7, 'mask': [True] * 6 + [False]}}
    values['norm_stats'] = {'libero_goal': one, 'mine': one}
    (tmp_path / 'config.json').write_text(json.dumps(values))
    assert largest_step(tmp_path, 'libero_goal') == pytest.approx((0.05 * 3**0.5, 0.5 * 3**0.5))
    assert largest_step(tmp_path, 'mine') == pytest.approx((3**0.5, 3**0.5))
    with pytest.raises(UnnormKeyError, match='libero_goal, mine'):
        largest_step(tmp_path)


def test_it_is_read_without_torch():
    code = (
        'import sys\nfrom vla_accel_ros.models.checkpoints.largest_step import largest_step\n'
        'from vla_accel_ros.paths import checkpoint_folder\n'
        "largest_step(checkpoint_folder('tabletop-s'))\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'False'
