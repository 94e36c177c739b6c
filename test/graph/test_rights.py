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

"""Rights: who may move the arm, who may enable it, and how names follow the deployment."""

from dataclasses import replace
import json

from joint_robots import ALOHA
import pytest

from vla_accel_ros.graph.processes import Deployment
from vla_accel_ros.graph.rights import enclaves, to_the_arm
from vla_accel_ros.ros.enclave import OPERATOR, VIEWER

DEPLOYMENTS = {
    'robot': Deployment(image_topics=('/cam/image_raw',), namespace='left'),
    'embedded arm': Deployment(sim=True),
    'simulated time': Deployment(sim=True, use_sim_time=True),
}


def of(deployment):
    return {each.name: each.rights for each in enclaves(deployment)}


def holders(deployment, right, name):
    space = f'/{deployment.namespace}'.rstrip('/')
    return {
        who
        for who, rights in of(deployment).items()
        if f'{space}/{name}' in getattr(rights, right)
    }


@pytest.mark.parametrize('deployment', DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_only_arm_command_moves_the_arm_and_only_operator_and_goals_enable(deployment):
    for topic in to_the_arm({}):
        assert holders(deployment, 'publish', topic) == {'arm_command'}
    assert holders(deployment, 'publish', 'vla/action') == {'scheduler'}
    assert holders(deployment, 'publish', 'vla/action_chunk') == {'inference'}
    assert holders(deployment, 'publish', 'vla/instruction') == {OPERATOR}
    for service in ('enable', 'stop', 'set_parameters', 'change_state'):
        callers = {OPERATOR, 'scheduler'} if service == 'enable' else {OPERATOR}
        assert holders(deployment, 'request', f'arm_command/{service}') == callers
        assert holders(deployment, 'reply', f'arm_command/{service}') == {'arm_command'}


def test_names_follow_namespace_cameras_and_clock():
    left = of(DEPLOYMENTS['robot'])
    assert '/cam/image_raw' in left['camera'].subscribe
    assert '/left/vla/frame' in left['camera'].publish
    assert '/diagnostics' in left['camera'].publish
    assert '/clock' not in left['camera'].subscribe
    stepped = of(DEPLOYMENTS['simulated time'])
    assert '/clock' in stepped['sim_arm'].publish and '/clock' in stepped['camera'].subscribe
    assert '/clock' not in stepped['sim_arm'].subscribe


def test_one_inference_may_answer_each_arm_that_it_serves(tmp_path):
    file = tmp_path / 'arms.yaml'
    file.write_text('/**/inference:\n  ros__parameters:\n    arms: [left, right]\n')
    rights = of(Deployment(params_file=str(file)))['inference']
    assert {'/left/vla/action_chunk', '/right/vla/action_chunk'} <= set(rights.publish)
    assert '/right/vla/request' in rights.subscribe
    assert '/vla/request' not in rights.subscribe and '/diagnostics' in rights.publish


def test_a_viewer_hears_everything_and_says_nothing():
    viewer = of(DEPLOYMENTS['embedded arm'])[VIEWER]
    assert viewer.publish == ('/parameter_events', '/rosout')
    assert {'/vla/action', '/diagnostics', '/servo_node/delta_twist_cmds'} <= set(viewer.subscribe)
    assert all(name.endswith('/get_state') for name in viewer.request)


def test_markers_hear_and_draw_and_can_reach_nothing_that_moves():
    plain, looked_on = of(DEPLOYMENTS['robot']), of(replace(DEPLOYMENTS['robot'], markers=True))
    rights = looked_on.pop('markers')
    assert set(rights.publish) - set(plain[VIEWER].publish) == {
        '/left/vla/markers',
        '/left/markers/transition_event',
        '/diagnostics',
    }
    assert rights.request == ()
    # Who listens to the twists counts as the arm's driver.
    assert not set(rights.subscribe) & {f'/left/{topic}' for topic in to_the_arm({})}
    heard = {name for each in plain.values() for name in each.publish}
    assert set(rights.subscribe) <= heard | {'/left/ee_pose', '/left/joint_states'}
    for who in set(plain) - {OPERATOR, VIEWER}:
        assert looked_on[who] == plain[who]
    assert '/left/vla/markers' in looked_on[VIEWER].subscribe


def test_an_arm_of_joints_is_commanded_on_the_topics_of_its_controller(tmp_path):
    (tmp_path / 'two.json').write_text(json.dumps(ALOHA.to_values()))
    file = tmp_path / 'arm.yaml'
    file.write_text(
        '/**/arm_command:\n  ros__parameters:\n    command: joint_trajectory\n'
        f'    action_space: {tmp_path / "two.json"}\n'
    )
    rights = of(Deployment(params_file=str(file)))['arm_command']
    assert {
        '/joint_trajectory_controller/joint_trajectory',
        '/left_gripper_command',
        '/right_gripper_command',
    } <= set(rights.publish)
    assert (
        '/servo_node/delta_twist_cmds' not in rights.publish and '/ee_pose' not in rights.subscribe
    )
    assert {'/joint_states', '/robot_description'} <= set(rights.subscribe)
    assert rights.request == ()
