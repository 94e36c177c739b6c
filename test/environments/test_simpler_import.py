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

"""What is said where ManiSkill's assets or a driver are missing."""

import os
import sys

import pytest

from vla_accel_ros.environments import simpler_import as imports
from vla_accel_ros.environments.simpler_protocol import TASKS


def test_the_first_missing_asset_is_named_with_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv('MS_ASSET_DIR', str(tmp_path))
    with pytest.raises(ValueError, match=r'needs .*widowx, which is missing: set MS_ASSET_DIR'):
        imports.require_assets(TASKS['carrot'])
    bridge = tmp_path / 'data/tasks/bridge_v2_real2sim_dataset'
    for folder in ('stages', 'real_inpainting', 'custom/models'):
        (bridge / folder).mkdir(parents=True)
    (tmp_path / 'data/robots/widowx').mkdir(parents=True)
    (bridge / 'stages/bridge_table_1_v1.glb').touch()
    (bridge / 'real_inpainting/bridge_real_eval_1.png').touch()
    with pytest.raises(ValueError, match=r'needs .*bridge_carrot_generated_modified'):
        imports.require_assets(TASKS['carrot'])
    for model in TASKS['carrot'].models:
        (bridge / 'custom/models' / model).mkdir()
    imports.require_assets(TASKS['carrot'])


def test_the_driver_that_make_unpacked_draws_unless_another_is_chosen(monkeypatch, tmp_path):
    (tmp_path / 'vulkan').mkdir()
    own = tmp_path / 'vulkan/lvp.json'
    own.touch()
    monkeypatch.setattr(sys, 'prefix', str(tmp_path))
    monkeypatch.setenv('VK_ICD_FILENAMES', 'mine.json')
    imports.find_driver()
    assert os.environ['VK_ICD_FILENAMES'] == 'mine.json'
    monkeypatch.delenv('VK_ICD_FILENAMES')
    imports.find_driver()
    assert os.environ['VK_ICD_FILENAMES'] == str(own)


def test_without_a_driver_it_says_what_to_do():
    error = imports.no_driver(RuntimeError('Failed to find a supported physical device "cpu"'))
    assert 'physical device "cpu"' in str(error) and 'make simpler' in str(error)
