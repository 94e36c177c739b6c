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
"""A recipe so small that it is followed in seconds."""

import copy

import pytest
from recipes import SMALL

from vla_accel_ros.training import recipe_yaml

# OpenVLA's form, and OpenVLA-OFT's, small, with stages of which the first shows some tokens.
FORMS = {
    'tokens': {
        'cameras': ['agent'],
        'jpeg': True,
        'model': {
            'form': 'scaled',
            'image_size': 56,
            'patch': 14,
            'tower_width': 64,
            'tower_blocks': 1,
            'width': 48,
            'layers': 2,
            'heads': 2,
        },
    },
    'chunk': {
        'jpeg': True,
        'model': {
            'form': 'scaled',
            'chunk': 3,
            'image_size': 56,
            'patch': 14,
            'tower_width': 64,
            'tower_blocks': 1,
            'width': 48,
            'layers': 2,
            'heads': 2,
        },
    },
}


@pytest.fixture(params=list(FORMS))
def scaled(request):
    values = {**copy.deepcopy(SMALL), **FORMS[request.param]}
    values['stages'][0]['tokens'] = 10 * len(values.get('cameras', ['agent', 'wrist']))
    return recipe_yaml.from_dict(values)


@pytest.fixture
def values():
    return copy.deepcopy(SMALL)


@pytest.fixture
def small(values):
    return recipe_yaml.from_dict(values)
