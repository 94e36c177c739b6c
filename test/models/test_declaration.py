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

"""What a checkpoint's folder declares."""

import json
import shutil

import numpy as np
import pytest

from vla_accel_ros.models.action_tokens import UnnormKeyError
from vla_accel_ros.models.declaration import declaration
from vla_accel_ros.paths import checkpoint_folder, shipped_checkpoints

FILES = ('config.json', 'tokenizer.json')


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        shutil.copy(checkpoint_folder('tabletop-m-oft') / name, tmp_path)
    return tmp_path


def edit(folder, change, file='config.json'):
    values = json.loads((folder / file).read_text())
    change(values)
    (folder / file).write_text(json.dumps(values))


def renamed(folder, key, **action):
    """Give the only data set another name and other numbers."""

    def change(values):
        (entry,) = values['norm_stats'].values()
        entry['action'].update(action)
        values['norm_stats'] = {key: entry}

    edit(folder, change)
    return declaration(folder)


def test_it_says_what_the_configuration_and_the_statistics_say(folder):
    wants = declaration(folder, name='mine')
    assert (wants.checkpoint, wants.key, wants.keys) == ('mine', 'tabletop-m-oft', 1)
    assert wants.actions.kinds == (*['translation'] * 3, *['rotation'] * 3, 'gripper')
    assert wants.actions.step_m == pytest.approx(0.0324, abs=1e-4)
    assert (wants.actions.gripper_low, wants.actions.gripper_high) == (0, 1)
    # 1 is closed here, and is so in 11 % of the training.
    assert wants.actions.closed == pytest.approx(0.114, abs=1e-3)
    assert wants.actions.rows == 8 and not wants.actions.extremes
    assert (wants.views.count, wants.views.size) == (2, 224)
    assert wants.state.width == len(wants.state.low) == 8
    assert (wants.actions.step_s, wants.actions.step_source, wants.actions.frame) == (None, '', '')


def test_an_open_gripper_that_is_one_is_turned_round(folder):
    edit(folder, lambda values: values['vla_accel'].update(gripper_open_is_one=True))
    assert declaration(folder).actions.closed == pytest.approx(0.886, abs=1e-3)


@pytest.mark.parametrize(
    ('key', 'step_s'), [('bridge_orig', 0.2), ('libero_goal', 0.05), ('fractal', 1 / 3)]
)
def test_the_rate_of_a_data_set_known_by_name_is_declared(folder, key, step_s):
    wants = renamed(folder, key)
    assert wants.actions.step_s == pytest.approx(step_s)
    assert wants.actions.step_source == f"the data set '{key}'"


def test_a_controllers_units_are_brought_to_metres(folder):
    ones = {'q01': [-1.0] * 7, 'q99': [1.0] * 7}
    assert renamed(folder, 'libero_goal', **ones).actions.step_m == pytest.approx(0.0866, abs=1e-4)
    # Of a data set that nobody knows, they stay a metre and more.
    assert renamed(folder, 'mine', **ones).actions.step_m == pytest.approx(np.sqrt(3))


def test_ranges_of_the_smallest_and_largest_value_are_told(folder):
    low, high = [-0.02] * 6 + [0.0], [0.02] * 6 + [1.0]
    assert renamed(folder, 'mine', q01=low, q99=high, min=low, max=high).actions.extremes


def test_conventions_beside_the_weights_are_declared(folder):
    said = {
        'step_s': 0.1,
        'frame': 'world',
        'views': ['front', 'wrist'],
        'state': list('abcdefgh'),
        'actions': {
            'name': 'arm',
            'groups': [
                {'kind': 'joint_position', 'names': list('123456')},
                {'kind': 'gripper', 'names': ['gripper']},
            ],
        },
    }
    (folder / 'conventions.json').write_text(json.dumps(said))
    wants = declaration(folder)
    assert (wants.actions.step_s, wants.actions.step_source) == (0.1, 'conventions.json')
    assert wants.actions.frame == 'world' and wants.views.names == ('front', 'wrist')
    assert wants.state.names == tuple('abcdefgh')
    assert wants.actions.kinds == (*['joint_position'] * 6, 'gripper')
    # Positions are no steps; the farthest is what the statistics say.
    assert wants.actions.step_rad == 0 and 0.05 < wants.actions.position_rad < 0.2


def test_columns_that_nothing_explains_have_no_kind(folder):
    def change(values):
        (entry,) = values['norm_stats'].values()
        entry['action'] = {'q01': [-1.0] * 14, 'q99': [1.0] * 14}
        values['vla_accel']['action_dims'] = 14

    edit(folder, change)
    wants = declaration(folder)
    assert wants.actions.kinds == () and len(wants.actions.names) == 14


def test_the_tokens_of_a_tokeniser_are_counted(folder):
    def add(values):
        values['added_tokens'].append({'id': 31, 'content': '<pad>'})

    # Only tokens of actions have to be told from words.
    assert declaration(folder).tokens == 0
    shutil.copy(checkpoint_folder('tabletop-m') / 'config.json', folder)
    assert declaration(folder).tokens == 28
    edit(folder, add, 'tokenizer.json')
    assert declaration(folder).tokens == 32
    (folder / 'tokenizer.json').unlink()
    assert declaration(folder).tokens == 0


def test_a_key_that_is_not_there_is_named(folder):
    with pytest.raises(UnnormKeyError, match="unnorm_key 'other' is not one of: tabletop-m-oft"):
        declaration(folder, 'other')


@pytest.mark.parametrize('name', sorted(shipped_checkpoints()))
def test_shipped_checkpoints_say_their_conventions(name):
    wants = declaration(checkpoint_folder(name))
    assert wants.actions.step_s == 0.05
    assert len(wants.views.names) == wants.views.count
    assert len(wants.state.names) == wants.state.width
