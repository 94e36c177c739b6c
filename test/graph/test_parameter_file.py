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
from pathlib import Path

import pytest
import rclpy

from vla_accel_ros.graph.parameter_file import NODES, main, render_file, render_table, settings_of
from vla_accel_ros.ros.base import Node

FILE = Path(__file__).parents[2] / 'config/arm.yaml'


def node_class(name):
    module = import_module(f'vla_accel_ros.nodes.{name}')
    return next(
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Node) and item is not Node
    )


def test_the_file_in_config_is_what_the_nodes_say():
    assert FILE.read_text() == render_file(), (
        'make it again: python -m vla_accel_ros.graph.parameter_file --write .'
    )


@pytest.mark.parametrize('namespace', ['', '/robot/left'])
@pytest.mark.parametrize('name', NODES)
def test_ros_reads_the_file_for_every_node_in_any_namespace(name, namespace, tmp_path):
    text = FILE.read_text().replace('autostart: true', 'autostart: false')
    copy = tmp_path / 'arm.yaml'
    copy.write_text(text)
    context = rclpy.Context()
    rclpy.init(args=['--ros-args', '--params-file', str(copy)], context=context)
    node = node_class(name)(context=context, namespace=namespace)
    try:
        assert node.health.standing() == {}
        defaults = {setting.name: setting.default for setting in settings_of(name)}
        assert node.settings == {**defaults, 'autostart': False}
        assert set(node._parameter_overrides) - {'use_sim_time'} == set(defaults)
    finally:
        node.close()
        rclpy.try_shutdown(context=context)


@pytest.mark.parametrize('name', NODES)
def test_every_parameter_says_what_for_and_what_is_allowed(name):
    for setting in settings_of(name):
        assert len(setting.why) > 10 and setting.why[0].isupper()
        assert not setting.why.endswith('.')
        assert setting.bounds or setting.kind in (bool, str), setting.name
        row = f'| `{setting.name}` |'
        assert row in render_table(name)


def test_a_node_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no node 'gripper'"):
        settings_of('gripper')


def test_the_program_prints_file_and_table(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == render_file()
    assert main(['--table', 'camera']) == 0
    assert '| `image_topics` |' in capsys.readouterr().out


@pytest.mark.parametrize('name', NODES)
def test_the_page_of_a_node_has_its_parameters(name):
    assert render_table(name) in (FILE.parents[1] / f'docs/{name}.md').read_text(), (
        'make it again: python -m vla_accel_ros.graph.parameter_file --write .'
    )


def test_it_writes_file_and_tables_and_leaves_the_rest_of_the_pages(tmp_path):
    pages = {name: (FILE.parents[1] / f'docs/{name}.md').read_text() for name in NODES}
    (tmp_path / 'docs').mkdir()
    for name, page in pages.items():
        old = page.replace(render_table(name), '| parameter |\n|---|\n| `gone` |\n')
        (tmp_path / f'docs/{name}.md').write_text(old)
    assert main(['--write', str(tmp_path)]) == 0
    assert (tmp_path / 'config/arm.yaml').read_text() == render_file()
    assert {name: (tmp_path / f'docs/{name}.md').read_text() for name in NODES} == pages


def test_it_writes_nothing_where_a_page_has_no_table(tmp_path, capsys):
    (tmp_path / 'docs').mkdir()
    for name in NODES:
        (tmp_path / f'docs/{name}.md').write_text('# A page\n')
    with pytest.raises(SystemExit):
        main(['--write', str(tmp_path)])
    assert 'camera.md has no table of parameters' in capsys.readouterr().err
    assert not (tmp_path / 'config').exists()
