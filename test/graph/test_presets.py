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

"""What a preset says to `vla-accel eval` it says to the nodes."""

import pytest
import yaml

from vla_accel_ros.acceleration import find, method_of
from vla_accel_ros.acceleration.presets import EXPLICIT, FOLDER, names
from vla_accel_ros.acceleration.settings import DEFAULTS, SCHEDULER, settings_of
from vla_accel_ros.nodes import inference_settings, scheduler_settings
from vla_accel_ros.paths import share_file
from vla_accel_ros.pruning.registry import make_parameters

NODES = {
    'scheduler': {setting.name: setting for setting in scheduler_settings.SETTINGS},
    'inference': {setting.name: setting for setting in inference_settings.SETTINGS},
}


def test_what_a_preset_leaves_out_is_the_same_in_both():
    known = NODES['scheduler'] | NODES['inference']
    unaccelerated = settings_of(find('none')[0])
    for key in {*SCHEDULER, *DEFAULTS} - set(EXPLICIT):
        assert known[key].default == unaccelerated[key], key


@pytest.mark.parametrize('name', names())
def test_the_nodes_take_a_shipped_preset(name):
    whole = yaml.safe_load(share_file(f'{FOLDER}/{name}.yaml').read_text(encoding='utf-8'))
    found = settings_of(find(name)[0])
    for node, table in NODES.items():
        values = {key: setting.default for key, setting in table.items()}
        for key, value in whole[f'/**/{node}']['ros__parameters'].items():
            values[key] = table[key].check(value)
        if node == 'inference':
            method = method_of(values)
            assert method.pruning == found['pruning']
            # What one of them leaves out is as the method has it.
            assert make_parameters(
                method.pruning, **dict(method.pruning_parameters)
            ) == make_parameters(method.pruning, **found['pruning_parameters'])
        for key in set(found) & set(values) - {'pruning_parameters'}:
            assert values[key] == found[key], key
