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

"""The numbers of LIBERO's protocol."""

from pathlib import Path

import numpy as np
import pytest

from vla_accel_ros.environments import libero_protocol as protocol
from vla_accel_ros.evaluation import seeds


@pytest.mark.parametrize(
    ('suite', 'steps'),
    [('spatial', 220), ('object', 280), ('goal', 300), ('10', 520), ('90', 400)],
)
def test_each_suite_has_its_horizon(suite, steps):
    assert protocol.horizon(protocol.suite_of(suite)) == steps
    assert protocol.horizon(protocol.suite_of(f'{suite}_swap')) == steps
    assert protocol.suite_of(f'libero_{suite}') == f'libero_{suite}'


@pytest.mark.parametrize('name', ['kitchen', 'libero_100', 'objects'])
def test_unknown_suites_are_refused_by_the_ones_there_are(name):
    with pytest.raises(ValueError, match=f"no suite '{name}', expected one of libero_spatial"):
        protocol.suite_of(name)


def test_a_picture_is_turned_by_half_a_turn():
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    turned = protocol.turn(picture)
    assert np.array_equal(turned, np.rot90(picture, 2))
    assert turned.flags['C_CONTIGUOUS']


def test_objects_settle_for_ten_steps_under_an_open_gripper_that_does_not_move():
    from vla_accel_ros.environments.mapping import OSC_POSE

    assert protocol.SETTLE_STEPS == 10
    assert OSC_POSE.to_environment(protocol.SETTLE_ACTION).tolist() == [0, 0, 0, 0, 0, 0, -1]


def test_500_episodes_are_each_of_50_states_of_10_tasks_once():
    first = seeds.RANGES['reporting'].start
    met = {(seed % 10, protocol.initial_state(seed, 10, 50)) for seed in range(first, first + 500)}
    assert met == {(task, state) for task in range(10) for state in range(50)}
    assert protocol.initial_state(first, 10, 50) == 0


def test_of_a_single_task_consecutive_seeds_are_consecutive_states():
    first = seeds.RANGES['reporting'].start
    assert [protocol.initial_state(first + n, 1, 50) for n in (0, 1, 49, 50)] == [0, 1, 49, 0]


def test_a_picture_goes_through_jpeg_to_the_last_bit_as_through_tensorflow():
    pytest.importorskip('simplejpeg', reason='simplejpeg is not installed: make libero')
    with np.load(Path(__file__).parents[1] / 'fixtures' / 'tensorflow_jpeg.npz') as both:
        raw, decoded = both['raw'], both['decoded']
    assert np.abs(raw.astype(int) - decoded).max() > 20
    assert np.array_equal(protocol.through_jpeg(raw), decoded)
