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

"""What a public folder of SmolVLA says of its actions."""

from dataclasses import replace
import json
from pathlib import Path
import shutil

import pytest

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.families import registry

FIXTURE = Path(__file__).parents[3] / 'fixtures' / 'smolvla_tiny'


@pytest.fixture
def changed(tmp_path):
    """Give what copies the folder and changes its config.json."""

    def change(**values):
        folder = shutil.copytree(FIXTURE, tmp_path / 'copy')
        file = folder / 'config.json'
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))
        return folder

    return change


def test_actions_that_are_differences_from_the_state_are_read_and_told(changed):
    config = read_config(changed(use_relative_actions=True))
    assert config.head.relative == tuple(range(config.action_dims))
    said = registry.of(config).about(config)
    assert f'columns {[*range(config.action_dims)]} are differences from the state' in said


def test_differences_from_a_state_that_is_too_narrow_are_refused():
    config = read_config(FIXTURE)
    with pytest.raises(ValueError, match=rf'relative is \[{config.proprio}\], expected columns'):
        replace(config.head, relative=(config.proprio,))
