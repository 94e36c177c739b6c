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

from importlib import import_module

from made_up import MODEL
import pytest
import rclpy

from vla_accel_ros.acceleration import find, method_of
from vla_accel_ros.acceleration.settings import settings_of
from vla_accel_ros.graph.parameter_file import NODES
from vla_accel_ros.graph.parameter_file import settings_of as node_settings
from vla_accel_ros.graph.processes import Deployment
from vla_accel_ros.ros.base import Node
from vla_accel_ros.tuning.outputs import parameter_file, write_outputs
from vla_accel_ros.tuning.spaces import spaces
from vla_accel_ros.tuning.store import files_of

METHODS = ('hold+jacobi', 'sp_vla', 'fastv+relaxed', 'specprune', 'ridge@rule=planar')


def tuned(text):
    found = spaces(text, MODEL)[0]
    values = {
        d.name: d.choices[-1] if d.choices else int(d.high) if d.integer else (d.low + d.high) / 2
        for d in found.dimensions
    }
    return found.with_values(values, 'tuned')


@pytest.fixture
def start():
    """Start nodes of a parameter file, as the launch file does."""
    context, nodes = rclpy.Context(), []

    def run(name, file):
        if not context.ok():
            rclpy.init(args=['--ros-args', '--params-file', str(file)], context=context)
        module = import_module(f'vla_accel_ros.nodes.{name}')
        kind = next(
            item
            for item in vars(module).values()
            if isinstance(item, type) and issubclass(item, Node) and item is not Node
        )
        nodes.append(kind(context=context))
        return nodes[-1]

    yield run
    for node in nodes:
        node.close()
    rclpy.try_shutdown(context=context)


@pytest.mark.parametrize('text', METHODS)
def test_the_nodes_take_the_parameter_file_as_it_was_tuned(text, tmp_path, start):
    method = tuned(text)
    file, _ = write_outputs(method, 0.1, files_of(tmp_path), ['Tuned.'])
    file = Deployment(params_file=str(file)).parameter_file
    quiet = tmp_path / 'quiet.yaml'
    quiet.write_text(file.read_text().replace('autostart: true', 'autostart: false'))
    scheduler, inference = start('scheduler', quiet), start('inference', quiet)
    assert scheduler.health.standing() == inference.health.standing() == {}
    assert method_of(scheduler.settings).scheduler == method.at_step(0.1).scheduler
    assert inference.settings['policy_step'] == 0.1
    found = method_of(inference.settings)
    assert (found.decoder, found.draft) == (method.decoder, method.draft)
    assert found.pruning == method.pruning
    given = dict(method.pruning_parameters).items()
    assert given <= dict(found.pruning_parameters).items()


def test_every_other_parameter_keeps_its_default_and_its_comment():
    text = parameter_file(tuned('hold'), 0.05, ['Tuned.'])
    assert text.startswith('# Tuned.\n')
    for node in NODES:
        assert f'/**/{node}:' in text
        for setting in node_settings(node):
            assert f'\n    {setting.name}: ' in text
    assert '0.0 .. 5.0 m/s' in text


@pytest.mark.parametrize('text', METHODS)
def test_the_preset_means_the_same_method(text, tmp_path):
    method = tuned(text)
    _, preset = write_outputs(method, 0.05, files_of(tmp_path), ['A summary.', 'Figures.'])
    again = find(str(preset))[0]
    assert settings_of(again) == settings_of(method)
    assert again.summary == 'A summary.'


def test_a_file_that_lacks_a_parameter_is_not_written(monkeypatch, tmp_path):
    other = tmp_path / 'arm.yaml'
    other.write_text('/**/scheduler:\n  ros__parameters:\n    tau: 0.5\n')
    monkeypatch.setattr('vla_accel_ros.tuning.outputs.share_file', lambda name: other)
    with pytest.raises(ValueError, match=r'does not have .*scheduler\.rule'):
        parameter_file(tuned('hold'), 0.05, [])
