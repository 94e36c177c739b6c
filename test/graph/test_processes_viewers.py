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

"""The viewers' files: every topic, type and field in them is one of the running graph."""

from importlib import import_module
import json
import re

from checkpoints import random_checkpoint
from diagnostic_msgs.msg import DiagnosticStatus
from joint_robots import SEVEN
import pytest
import yaml

from vla_accel_ros.graph.processes import Deployment, processes
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.nodes.markers_shapes import NAMES
from vla_accel_ros.paths import share_file
from vla_accel_ros.ros.messages import decision_to_message
from vla_accel_ros.scheduling.decision import Decision, Kind

LAYOUT = json.loads(share_file('config/vla_accel_foxglove.json').read_text())
RVIZ = yaml.safe_load(share_file('config/vla_accel.rviz').read_text())
SHOWN_BY_RVIZ = {
    'Image': 'sensor_msgs/msg/Image',
    'Pose': 'geometry_msgs/msg/PoseStamped',
    'MarkerArray': 'visualization_msgs/msg/MarkerArray',
}
FIELD = re.compile(r'\.(\w+)((?:\[[\d:]*\]|\{[^}]*\})*)')
FILTER = re.compile(r'\{key=="(\w+)"\}')


@pytest.fixture(scope='module')
def topics(tmp_path_factory):
    """Give the topics of all nodes, running in this process, with their types."""
    from graph import Graph

    graph = Graph()
    folder = random_checkpoint(tmp_path_factory.mktemp('checkpoint'))
    listed = processes(Deployment(sim=True, markers=True, checkpoint=str(folder)))
    for process in listed:
        module = import_module(process.module)
        kind = next(
            each
            for each in vars(module).values()
            if isinstance(each, type) and getattr(each, 'NAME', '') == process.name
        )
        given = {
            k: v for k, v in process.parameters.items() if k not in ('use_sim_time', 'autostart')
        }
        if process.name == 'inference':
            given |= {'warm_up': 1, 'threads': 1}
        graph.add(kind, **given)
    # An arm that takes joints is sent other topics than one that takes twists.
    space = tmp_path_factory.mktemp('space') / 'space.json'
    space.write_text(json.dumps(SEVEN.to_values()))
    joints = {'command': 'joint_trajectory', 'action_space': str(space)}
    graph.add(ArmCommand, remaps=['__ns:=/joints'], **joints)
    names = [node.get_fully_qualified_name() for node in graph.nodes]
    published = {
        name.removeprefix('/joints'): types
        for name, types in graph.peer.get_topic_names_and_types()
        if graph.peer.count_publishers(name)
    }
    heard = graph.diagnostics()
    graph.until(lambda: len({s.name for m in heard for s in m.status}) >= len(names), 'reports')
    statuses = {s.name: s.hardware_id for message in heard for s in message.status}
    graph.close()
    return published, statuses


def paths_of(config):
    """List the message paths and topics of a panel's configuration."""
    if isinstance(config, dict):
        for key, value in config.items():
            if key in ('value', 'topicPath', 'topicToRender', 'imageTopic'):
                yield value
            else:
                yield from paths_of(value)
    elif isinstance(config, list):
        for each in config:
            yield from paths_of(each)


def panels_of(layout):
    return (
        [layout]
        if isinstance(layout, str)
        else [*panels_of(layout['first']), *panels_of(layout['second'])]
    )


def message_type(name):
    package, _, kind = name.split('/')
    return getattr(import_module(f'{package}.msg'), kind)


def field_of(path, kind):
    """Follow a message path through a message type; give the last field's type."""
    fields = kind.get_fields_and_field_types()
    found = None
    for name, index in FIELD.findall(path):
        assert name in fields, f'{path}: {kind.__name__} has no {name}'
        found = fields[name]
        if index:
            assert found.startswith('sequence<'), f'{path}: {name} is no list'
            found = found.removeprefix('sequence<').removesuffix('>')
        if '/' in found:
            package, name = found.split('/')
            kind = getattr(import_module(f'{package}.msg'), name)
            fields = kind.get_fields_and_field_types()
    return found


def all_paths():
    return sorted({path for panel in LAYOUT['configById'].values() for path in paths_of(panel)})


def test_every_panel_is_in_the_layout_once():
    placed = panels_of(LAYOUT['layout'])
    assert sorted(placed) == sorted(LAYOUT['configById'])


@pytest.mark.parametrize('path', all_paths())
def test_every_path_of_the_layout_leads_to_a_field_of_a_topic_that_is_published(path, topics):
    topic, dot, fields = path.partition('.')
    published, _ = topics
    assert topic in published
    if dot:
        (kind,) = published[topic]
        assert field_of(dot + fields, message_type(kind)) in ('double', 'string')


def test_pictures_are_shown_of_image_topics_and_numbers_are_plotted(topics):
    published, _ = topics
    for name, panel in LAYOUT['configById'].items():
        for path in paths_of(panel):
            topic, _, fields = path.partition('.')
            (kind,) = published[topic]
            if name.startswith('Image!'):
                assert kind == 'sensor_msgs/msg/Image'
            elif name.startswith('Plot!'):
                assert field_of(f'.{fields}', message_type(kind)) == 'double', path
            elif name.startswith('Diagnostic'):
                assert kind == 'diagnostic_msgs/msg/DiagnosticArray'


def test_the_keys_of_decisions_are_those_that_the_scheduler_writes():
    message = decision_to_message(Decision(Kind.SKIPPED, 'too_early', 0), 'scheduler')
    assert isinstance(message, DiagnosticStatus)
    written = {pair.key for pair in message.values}
    asked = {key for path in all_paths() for key in FILTER.findall(path)}
    assert asked and asked <= written


def test_status_panels_name_nodes_letter_by_letter_as_they_report(topics):
    _, statuses = topics
    chosen = {
        panel['selectedName']: panel['selectedHardwareId']
        for panel in LAYOUT['configById'].values()
        if 'selectedName' in panel
    }
    # Foxglove compares the whole name: without its slash the panel stays empty.
    assert chosen and chosen.items() <= statuses.items()


def displays(kind=None):
    found = [each for each in RVIZ['Visualization Manager']['Displays'] if 'Topic' in each]
    return [each for each in found if kind is None or each['Class'].endswith(f'/{kind}')]


@pytest.mark.parametrize('display', displays(), ids=lambda each: each['Name'])
def test_rviz_shows_topics_of_their_types_with_a_qos_that_gets_them(display, topics):
    published, _ = topics
    topic = display['Topic']['Value']
    assert published[topic] == [SHOWN_BY_RVIZ[display['Class'].rpartition('/')[2]]]
    # Best effort gets what a reliable publisher sends, too.
    assert display['Topic']['Reliability Policy'] == 'Best Effort'


def test_rviz_shows_every_marker():
    (display,) = displays('MarkerArray')
    assert display['Topic']['Value'] == '/vla/markers'
    assert display['Enabled'] and set(display['Namespaces']) == set(NAMES)
    assert all(display['Namespaces'].values())


def test_rviz_looks_from_the_frame_that_poses_are_in():
    from vla_accel_ros.ros.common_options import FRAME_ID

    assert RVIZ['Visualization Manager']['Global Options']['Fixed Frame'] == FRAME_ID.default
