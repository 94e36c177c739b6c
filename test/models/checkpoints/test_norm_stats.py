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
"""Statistics that would move the arm wrongly are refused by key and index."""

from copy import deepcopy
import json

import numpy as np
import pytest

from vla_accel_ros.files.kinds import FieldError
from vla_accel_ros.models.action_tokens import ActionStatistics, select_statistics
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.checkpoints.norm_stats import check, ranges
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.proprio import Proprioception, ProprioError
from vla_accel_ros.paths import checkpoint_folder

NAN, INF = float('nan'), float('inf')
GOOD = {
    'x': {
        'action': {
            'q01': [-0.1, -0.2, -0.3],
            'q99': [0.1, 0.2, 1],
            'mask': [True, True, False],
            'mean': [0, 0, 0.5],
            'std': [0.1, 0, 0.2],
            'min': [-1, -1, 0],
            'max': [1, 1, 1],
        },
        'proprio': {'q01': [0, 1], 'q99': [1, 1]},
        'num_transitions': 10,
        'num_trajectories': 1,
    }
}


def changed(*path, to):
    stats = deepcopy(GOOD)
    inner = stats
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to
    return stats


def test_sound_statistics_pass():
    check(GOOD)
    low, high, mask = ranges(GOOD['x']['action'])
    assert low.tolist() == [-0.1, -0.2, -0.3] and high.tolist() == [0.1, 0.2, 1]
    assert mask.tolist() == [True, True, False]
    assert ranges(GOOD['x']['proprio'])[2].all()


@pytest.mark.parametrize(
    ('path', 'value', 'message'),
    [
        (('x',), [1], r'x is a list of 1, expected an object'),
        (('x',), None, r'x is null, expected an object'),
        (('x', 'action'), [1], r'x\.action is a list of 1, expected an object'),
        (('x', 'action'), None, r'x\.action is missing'),
        (('x', 'action', 'q01'), None, r'x\.action\.q01 is missing, expected a list of numbers'),
        (('x', 'action', 'q01', 2), NAN, r'x\.action\.q01\[2\] is NaN, expected a finite number'),
        (('x', 'action', 'q99', 0), INF, r'x\.action\.q99\[0\] is Infinity'),
        (('x', 'action', 'q99', 1), None, r'x\.action\.q99\[1\] is null'),
        (('x', 'action', 'q99', 1), '0.2', r"x\.action\.q99\[1\] is '0\.2'"),
        (('x', 'action', 'q99', 1), True, r'x\.action\.q99\[1\] is true'),
        (('x', 'action', 'q99', 1), [0.2], r'x\.action\.q99\[1\] is a list of 1'),
        (
            ('x', 'action', 'q99', 1),
            1e300,
            r'x\.action\.q99\[1\] is 1e\+300, expected a number from',
        ),
        (('x', 'action', 'q99'), [0.1, 0.2], r'q99 is a list of 2, expected 3 as q01 has'),
        (('x', 'action', 'q01'), [], r'q01 is a list of 0'),
        (('x', 'action', 'q01'), [0] * 300, r'q01 is a list of 300'),
        (
            ('x', 'action', 'q01', 0),
            0.5,
            r'q01\[0\] is 0\.5 and q99\[0\] is 0\.1, expected q01 below',
        ),
        (('x', 'action', 'mask'), 'false', r"x\.action\.mask is 'false', expected a list"),
        (('x', 'action', 'mask', 2), 'false', r"x\.action\.mask\[2\] is 'false', expected true"),
        (('x', 'action', 'mask', 2), 0, r'x\.action\.mask\[2\] is 0, expected true or false'),
        (('x', 'action', 'mask'), [True], r'mask is a list of 1, expected 3'),
        (('x', 'action', 'std', 1), -0.5, r'std\[1\] is -0\.5, expected a number from 0'),
        (('x', 'action', 'mean', 1), NAN, r'mean\[1\] is NaN'),
        (('x', 'action', 'min', 1), 2, r'min\[1\] is 2\.0 and max\[1\] is 1\.0'),
        (('x', 'proprio', 'q01', 1), NAN, r'x\.proprio\.q01\[1\] is NaN'),
        (('x', 'proprio', 'q01', 1), 3, r'x\.proprio\.q01\[1\] is 3\.0 and q99\[1\] is 1\.0'),
        (('x', 'proprio', 'q99'), 5, r'x\.proprio\.q99 is 5, expected a list'),
        (('x', 'num_transitions'), '10', r"x\.num_transitions is '10'"),
        (('x', 'num_trajectories'), -1, r'x\.num_trajectories is -1'),
    ],
)
def test_what_is_wrong_is_named_with_key_and_index(path, value, message):
    with pytest.raises(FieldError, match=message):
        check(changed(*path, to=value))


def test_the_order_of_a_column_that_is_stored_as_it_is_does_not_matter():
    check(changed('x', 'action', 'q01', 2, to=5.0))


@pytest.mark.parametrize(
    ('q01', 'q99', 'message'),
    [
        (
            [0.1, 0, 0],
            [0.1, 1, 1],
            r'a\.action\.q01\[0\] is 0\.1 as q99\[0\] is, expected q01 below',
        ),
        ([0, 0, 0], [0, 0, 0], r'q01 is q99 in every column: no action would move the arm'),
        ([0, 0, 0], [0, 1e6, 0], r'a\.action\.q99\[1\] is 1000000\.0, expected a displacement'),
    ],
)
def test_a_range_that_no_arm_can_be_moved_by_is_refused_where_it_is_chosen(q01, q99, message):
    stats = {
        name: {'action': {'q01': low, 'q99': high}}
        for name, low, high in (('a', q01, q99), ('b', [0, 0, 0], [1, 0, 1]))
    }
    with pytest.raises(CheckpointError, match=message):
        select_statistics(stats, 'a')
    # A column of zeros is one of an arm that never turned, as public data sets have.
    assert select_statistics(stats, 'b')[0] == 'b'


@pytest.mark.parametrize(('low', 'high'), [([NAN], [1.0]), ([0.0], [INF]), ([1.0], [0.0])])
def test_statistics_made_in_the_program_are_checked_as_well(low, high):
    with pytest.raises(ValueError, match='action statistics'):
        ActionStatistics(np.array(low), np.array(high), np.array([True]))


def test_proprioception_names_the_entry_as_well():
    config = embedded(40, head=OFTConfig(proprio=2))
    config.norm_stats['x'] = {'proprio': {'q01': [0, NAN], 'q99': [1, 1]}}
    with pytest.raises(ProprioError, match=r'x\.proprio\.q01\[1\] is NaN'):
        Proprioception(config, 'x')


@pytest.mark.parametrize('name', ['dataset_statistics.json', 'config.json'])
def test_the_file_is_named(tmp_path, name):
    shipped = checkpoint_folder('tabletop-s')
    values = json.loads((shipped / 'config.json').read_text())
    stats = values['norm_stats']
    if name != 'config.json':
        stats = json.loads((shipped / name).read_text())
    stats['tabletop-s']['action']['q01'][2] = NAN
    (tmp_path / 'config.json').write_text(json.dumps(values))
    if name != 'config.json':
        (tmp_path / name).write_text(json.dumps(stats))
    prefix = 'norm_stats.' if name == 'config.json' else ''
    with pytest.raises(CheckpointError) as caught:
        read_config(tmp_path)
    assert str(caught.value).startswith(
        f'{tmp_path / name}: {prefix}tabletop-s.action.q01[2] is NaN, expected a finite number'
    )
