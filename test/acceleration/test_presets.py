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

"""Presets are parameter files of the nodes, read as the nodes read them."""

import pytest

from vla_accel_ros.acceleration import find, write_preset
from vla_accel_ros.acceleration.presets import names, read_preset, render
from vla_accel_ros.acceleration.settings import settings_of

GOOD = """\
# Sums it up.

/**/scheduler:
  ros__parameters: {rule: velocity, v_min: 0, replan_on_fine: false}
/**/inference:
  ros__parameters: {pruning: random, pruning_parameters: '{keep: 0.5}', decoder: verify}
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / 'own.yaml'
        path.write_text(text)
        return path

    return write


def test_a_file_of_ones_own_is_a_method(file):
    (method,) = find(f'{file(GOOD)}@tau=0.25')
    assert repr(method.scheduler.v_min) == '0.0'
    assert method.scheduler.tau == 0.25
    assert (method.pruning, dict(method.pruning_parameters)) == ('random', {'keep': 0.5})
    assert method.decoder == 'verify'
    assert method.summary == 'Sums it up.'


@pytest.mark.parametrize(
    'text',
    [
        'none',
        'sp_vla+jacobi',
        'hold+specprune@history_layers=1/2,keep=0.5,bridge=ridge',
        'relaxed@relaxed_bins=5,draft=previous,fine_linear=0.2',
        'vla_pruner@rule=planar',
    ],
)
def test_a_method_comes_back_from_its_preset(tmp_path, text):
    (method,) = find(text)
    path = tmp_path / 'new' / 'written.yaml'
    write_preset(method, path, ['What it is.', 'How it was found.'])
    (again,) = find(str(path))
    assert settings_of(again) == settings_of(method)
    assert again.summary == 'What it is.'
    assert [p.name for p in path.parent.iterdir()] == ['written.yaml']


@pytest.mark.parametrize('name', names())
def test_shipped_presets_are_whole_and_change_nothing_when_written_again(name):
    (method,) = find(name)
    assert method.summary
    assert settings_of(find(name)[0]) == settings_of(method)
    assert 'ros__parameters' in render(method, [method.summary])


def test_fast_and_lossless_are_shipped():
    assert {'fast', 'lossless'} <= set(names())


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (('v_min: 0', 'v_mni: 1'), "'v_mni' is unknown"),
        (('v_min: 0', 'v_min: fast'), "v_min is 'fast', expected float"),
        (('v_min: 0', 'v_min: -1'), 'v_min, v_max are -1'),
        (('v_min: 0', 'decoder: greedy'), "'decoder' is no parameter of scheduler"),
        (('decoder: verify', 'rule: never'), "'rule' is no parameter of inference"),
        (('decoder: verify', 'draft: none'), 'does not say decoder'),
        (('/**/inference', '/**/camera'), "node '/\\*\\*/camera' is none of"),
        (("'{keep: 0.5}'", "'keep'"), "pruning_parameters = 'keep', expected a mapping"),
        (("'{keep: 0.5}'", "'{k_local: 3}'"), "'k_local' is unknown"),
        (('ros__parameters: {rule', 'parameters: {rule'), 'line 4: .* write ros__parameters'),
        (('/**/scheduler:', '- 1'), 'own.yaml'),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(file, change, said):
    path = file(GOOD.replace(*change))
    with pytest.raises(ValueError, match=said) as caught:
        find(str(path))
    assert 'own.yaml' in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nothing'):
        read_preset(str(tmp_path / 'nothing.yaml'))
