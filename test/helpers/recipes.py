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

"""A recipe that trains within a second."""

SMALL = {
    'name': 'small',
    'instructions': ['pick up the red cube', 'pick up the green cube', 'pick up the blue cube'],
    'seed': 3,
    'batch': 4,
    'warmup': 2,
    'episodes': 2,
    'model': {
        'image_size': 32,
        'patch': 16,
        'tower_width': 32,
        'tower_blocks': 1,
        'width': 48,
        'layers': 2,
        'heads': 2,
    },
    'point_layers': [1],
    'data': {
        'wander': {'kind': 'wander', 'frames': 24, 'seed': 0},
        'demos': {'kind': 'demonstration', 'frames': 24, 'seed': 300000},
    },
    'stages': [
        {
            'name': 'ground',
            'images': 24,
            'rate': 1e-3,
            'mix': {'wander': 1},
            'losses': {'locate': 1, 'point': 1, 'relate': 1},
        },
        {
            'name': 'clone',
            'images': 24,
            'rate': 1e-3,
            'mix': {'wander': 1, 'demos': 3},
            'losses': {'relate': 1, 'action': 1},
        },
    ],
}
