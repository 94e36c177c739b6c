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

"""Environments by name."""

import pytest

from vla_accel_ros.environments import registry
from vla_accel_ros.environments.libero_env import LiberoKind
from vla_accel_ros.environments.robosuite_env import RobosuiteKind
from vla_accel_ros.environments.simpler_env import SimplerKind
from vla_accel_ros.environments.tabletop import TabletopKind


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('tabletop', TabletopKind()),
        ('robosuite:Lift', RobosuiteKind('Lift')),
        ('libero:spatial', LiberoKind('libero_spatial')),
        ('libero:libero_10/3', LiberoKind('libero_10', (3,))),
        ('libero:object_swap', LiberoKind('libero_object_swap')),
        ('libero:goal/4,1', LiberoKind('libero_goal', (4, 1))),
        ('libero-sampled:object/2', LiberoKind('libero_object', (2,), sampled=True)),
        ('simpler:carrot', SimplerKind('carrot')),
    ],
)
def test_known_environments_are_found_by_name(name, kind):
    assert registry.find(name) == kind
    assert kind.name in (name, name.replace(':', ':libero_'))


def test_others_are_gymnasiums(reach_config):
    kind = registry.find('reach:Reach-v0', reach_config)
    assert kind.name == 'reach:Reach-v0' and kind.settings.proprio == ('state',)


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('robosuite', "environment 'robosuite' is unknown, expected tabletop"),
        ('robosuite:', 'is unknown'),
        ('tabletop:big', 'is unknown'),
        ('LIBERO:object', "no environment 'LIBERO:object', expected 'libero' in small letters"),
        ('libero:kitchen', "no suite 'kitchen'"),
        ('simpler:drawer', "no task 'drawer' here, expected one of carrot"),
        ('libero:spatial/x', "names task 'x', expected a number"),
        ('libero:spatial/1,', "names task '', expected a number"),
        ('libero:spatial/1,01', 'names a task twice'),
        ('', "no environment ''"),
        ('CartPole-v1', r'actions of CartPole-v1 are no array of numbers, expected \[7\]'),
    ],
)
def test_unknown_names_are_refused(name, said):
    with pytest.raises(ValueError, match=said):
        registry.find(name)


def test_a_file_is_for_others_only(reach_config):
    with pytest.raises(ValueError, match='robosuite is known'):
        registry.find('robosuite:Lift', reach_config)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.yaml'):
        registry.find('reach:Reach-v0', tmp_path / 'none.yaml')
