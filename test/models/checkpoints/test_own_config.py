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

"""The configuration as this package writes it: read as it was written, refused by path."""

import json

import pytest

from vla_accel_ros.models.checkpoints import own_config
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.paths import shipped_checkpoints


def test_survives_json(small_config):
    assert own_config.read(json.loads(json.dumps(own_config.write(small_config)))) == small_config


@pytest.mark.parametrize('name', shipped_checkpoints())
def test_a_shipped_configuration_is_written_as_it_stands(name):
    folder = shipped_checkpoints()[name]
    stored = json.loads((folder / 'config.json').read_text())['vla_accel']
    config = read_config(folder)
    written = json.loads(json.dumps(own_config.write(config)))
    assert own_config.read(written) == config
    del written['norm_stats']
    if 'oft' in stored and stored['oft'] is None:
        assert config.head == TokensConfig()
        assert written.pop('openvla') == {} and stored.pop('oft') is None
    elif 'oft' in stored:
        assert config.head == OFTConfig(**stored['oft'])
    assert written == stored


def test_names_unknown_and_missing_entries(small_config):
    with pytest.raises(ValueError, match='colour is unknown, expected one of'):
        own_config.read({**own_config.write(small_config), 'colour': 1})
    with pytest.raises(ValueError, match='decoder'):
        own_config.read({'towers': []})
