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

"""The whole graph on the embedded arm: its processes die and hang, its operator interferes."""

import json
import shutil
import signal
from xml.etree import ElementTree

import pytest
from rig import SEEN

from vla_accel_ros.graph.rights import enclaves
from vla_accel_ros.graph.security_policy import render
from vla_accel_ros.ros.enclave import OPERATOR, VIEWER

NODES = ('camera', 'scheduler', 'inference', 'sim_arm')


@pytest.fixture
def rig(robot_in_motion):
    return robot_in_motion


def test_the_vla_is_killed_and_started_again_and_nothing_else_has_to_be(rig):
    rig.kill('inference')
    rig.rests()
    rig.tells('arm_command', 'watchdog')
    rig.tells('scheduler', 'inference_timeout')
    rig.start('inference')
    rig.moves()
    rig.quiet('scheduler', 'inference_timeout')


def test_the_vla_hangs_and_goes_on(rig):
    rig.freeze('inference')
    rig.rests()
    rig.tells('scheduler', 'inference_timeout', 'no answer within')
    rig.processes.thaw('inference')
    rig.moves()


def test_the_scheduler_is_ended_and_started_again_and_the_arm_is_still_enabled(rig):
    rig.end('scheduler', signal.SIGTERM)
    rig.rests()
    rig.tells('arm_command', 'watchdog', 'no_action')
    rig.start('scheduler')
    rig.moves()


def test_the_scheduler_is_killed_and_started_again_and_enabled_when_the_dead_is_forgotten(rig):
    rig.kill('scheduler')
    rig.rests()
    rig.start('scheduler')
    since_ns = rig.now_ns()

    def moves():
        # The stop comes when arm_command has heard of the successor, so the operator may have to
        # enable more than once.
        if not rig.reports.value('arm_command', 'arm').startswith('enabled'):
            rig.ask_to_enable()
        return rig.recorder.moves_after(since_ns) >= SEEN

    rig.until(moves, 'the arm moves again')


def test_the_scheduler_hangs_and_goes_on_with_new_frames_only(rig):
    rig.freeze('scheduler')
    rig.rests()
    rig.tells('arm_command', 'watchdog', 'no_action')
    rig.processes.thaw('scheduler')
    rig.moves()


def test_the_camera_node_is_killed_and_started_again(rig):
    rig.kill('camera')
    rig.rests()
    rig.tells('scheduler', 'no_frame')
    rig.start('camera')
    rig.moves()
    rig.quiet('scheduler', 'no_frame')


def test_the_robots_driver_hangs_and_goes_on(rig):
    rig.freeze('sim_arm')
    rig.rests()
    rig.tells('camera', 'no_frame', 'nothing on')
    rig.tells('scheduler', 'no_frame')
    rig.processes.thaw('sim_arm')
    rig.moves()
    rig.quiet('camera', 'no_frame')


def test_the_robots_driver_is_killed_and_started_again(rig):
    rig.kill('sim_arm')
    rig.rests()
    rig.tells('camera', 'no_frame')
    rig.start('sim_arm')
    rig.moves()


def test_a_killed_arm_command_leaves_an_arm_that_stops_by_itself_and_comes_back_disabled(rig):
    rig.kill('arm_command')
    rig.tool_rests()
    rig.start('arm_command')
    rig.counts('arm_command', 'not_enabled')
    assert rig.enable().success
    rig.moves()


# -- the checkpoint ----------------------------------------------------------------------------


def not_a_number(folder):
    file = folder / 'config.json'
    file.write_text(file.read_text().replace('-0.01', 'NaN', 1))


def cut_off(folder):
    weights = folder / 'model.safetensors'
    weights.write_bytes(weights.read_bytes()[:-1000])


def pointer(folder):
    (folder / 'model.safetensors').write_text(
        'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'
    )


def wrong_kind(folder):
    said = json.loads((folder / 'config.json').read_text())
    said['vla_accel']['decoder'] = [1]
    (folder / 'config.json').write_text(json.dumps(said))


def test_a_bad_checkpoint_is_refused_by_name_at_rest_and_the_good_one_moves_the_arm_again(
    rig, wanderer, tmp_path
):
    for transition in ('deactivate', 'cleanup'):
        assert rig.change('inference', transition)
    rig.rests()
    for spoil, said in (
        (shutil.rmtree, 'bad'),
        (not_a_number, 'is NaN'),
        (cut_off, 'model.safetensors'),
        (pointer, 'git-lfs'),
        (wrong_kind, 'decoder'),
    ):
        bad = tmp_path / 'bad'
        shutil.copytree(wanderer, bad)
        spoil(bad)
        assert rig.set('inference', checkpoint=str(bad)).successful
        rig.reports.mark()
        assert not rig.change('inference', 'configure')
        rig.tells('inference', 'configure_failed', said)
        shutil.rmtree(bad, ignore_errors=True)
    assert rig.set('inference', checkpoint=str(wanderer)).successful
    for transition in ('configure', 'activate'):
        assert rig.change('inference', transition)
    rig.moves()
    rig.quiet('inference', 'configure_failed')


# -- rights ------------------------------------------------------------------------------------

# What a node has only with another checkpoint, or beside MoveIt Servo.
SOMETIMES = {'/proprio', '/servo_node/switch_command_type'}


def test_every_topic_and_service_of_the_running_graph_is_in_the_policy_and_no_other(rig):
    ask = rig.peer
    for each in enclaves(rig.deployment):
        if each.name in (OPERATOR, VIEWER):
            continue

        def lacks(each=each):
            """Return by how much policy and graph differ, by the kind of right."""
            who = (each.name, each.namespace)
            found = {
                'publish': ask.get_publisher_names_and_types_by_node(*who),
                'subscribe': ask.get_subscriber_names_and_types_by_node(*who),
                'reply': ask.get_service_names_and_types_by_node(*who),
                'request': ask.get_client_names_and_types_by_node(*who),
            }
            return {
                kind: different
                for kind, listed in found.items()
                if (different := {name for name, _ in listed} ^ set(getattr(each.rights, kind)))
                - SOMETIMES
            }

        try:
            rig.until(lambda: not lacks(), 'graph and policy agree', deadline=5)
        except AssertionError:
            assert lacks() == {}, each.name
    said = ElementTree.fromstring(render(enclaves(rig.deployment)))
    assert len(said.findall('.//profile')) == len(rig.processes.names) + 2


# -- the operator ------------------------------------------------------------------------------


def test_a_stop_in_mid_motion_holds_while_the_policy_goes_on_until_enabled(rig):
    rig.stop()
    rig.counts('arm_command', 'not_enabled')
    rig.rests()
    rig.tells('arm_command', 'stopped', 'stop_requested')
    assert rig.enable().success
    rig.moves()


def test_the_table_is_laid_anew_in_mid_motion_again_and_again(rig):
    for _ in range(3):
        rig.reset_table()
        rig.moves()


@pytest.mark.parametrize('node', NODES)
def test_a_node_refuses_an_impossible_transition_by_name_and_the_motion_goes_on(rig, node):
    for transition in ('configure', 'activate', 'cleanup', 99):
        assert not rig.change(node, transition)
    rig.tells(node, 'invalid_transition')
    assert rig.lifecycle(node) == 'active'
    rig.moves()


@pytest.mark.parametrize('node', NODES)
def test_a_node_that_is_taken_down_is_zero_in_time_and_moves_the_arm_again_when_it_is_up(
    rig, node
):
    for transition in ('deactivate', 'cleanup'):
        assert rig.change(node, transition)
    rig.rests()
    rig.tells('arm_command', 'watchdog')
    for transition in ('configure', 'activate'):
        assert rig.change(node, transition)
    rig.moves()


@pytest.mark.parametrize(
    ('node', 'bad'),
    [
        ('camera', {'image_size': -1}),
        ('camera', {'resize': 'sideways'}),
        ('camera', {'image_topics': ['elsewhere']}),
        ('camera', {'max_age': float('nan')}),
        ('scheduler', {'rule': 'guess'}),
        ('scheduler', {'policy_step': 9.0}),
        ('scheduler', {'min_actions': 30}),
        ('scheduler', {'instruction': 'a' * 2000}),
        ('inference', {'checkpoint': '/nowhere'}),
        ('inference', {'threads': -1}),
        ('inference', {'engine': 'warp'}),
        ('sim_arm', {'task': 'make tea'}),
        ('sim_arm', {'seed': -1}),
    ],
)
def test_an_invalid_parameter_is_refused_with_a_reason_and_the_motion_goes_on(rig, node, bad):
    result = rig.set(node, **bad)
    assert not result.successful
    assert result.reason
    rig.moves()
