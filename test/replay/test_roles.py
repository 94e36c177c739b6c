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

"""Which topic of a real bag is what: by what its messages hold, then by its name."""

import bags
import pytest

from vla_accel_ros.replay import names
from vla_accel_ros.replay.bag.raw import BagError
from vla_accel_ros.replay.bag.reader import Bag
from vla_accel_ros.replay.evidence import Evidence
from vla_accel_ros.replay.topics import Wishes, assign

START, STEP = bags.START, bags.STEP
SERVO = '/servo_node/delta_twist_cmds'
CAMERAS = [bags.image('/image_raw', START, bags.picture(0))]
TOLD = bags.string('/vla/instruction', START, 'pick up the red cube')


def roles(tmp_path, lines, wishes=None, cameras=1, proprio=0, **evidence):
    bag = Bag(bags.write_mcap(tmp_path / 'bag.mcap', lines))
    found = Evidence(bag, proprio_numbers=proprio, **evidence)
    return assign(bag.topics, wishes or Wishes(), cameras, bool(proprio), found.objection)


def foreign(topic='/panda_arm_controller/joint_trajectory', ns=START):
    line = bags.trajectory(topic, ns, [0.0] * 7)
    line.message.joint_names = [f'panda_joint{k}' for k in range(1, 8)]
    return line


def twist(topic=SERVO, ns=START):
    return bags.twist(topic, ns, [0.1, 0, 0, 0, 0, 0])


def test_joint_trajectories_of_a_controller_are_no_actions(tmp_path):
    found = roles(tmp_path, [*CAMERAS, TOLD, foreign(), twist()])
    assert found.action == SERVO
    said = found.describe()
    assert f'action       {SERVO}' in said
    assert "not /panda_arm_controller/joint_trajectory: columns are ['panda_joint1'" in said


def test_one_fitting_message_makes_a_candidate(tmp_path):
    mixed = [foreign('/vla/action', START + k) for k in range(5)]
    found = roles(
        tmp_path,
        [*CAMERAS, TOLD, twist(), *mixed, bags.trajectory('/vla/action', START + 9, [0.0] * 7)],
    )
    assert found.action == '/vla/action'
    assert found.others['action'] == (SERVO,)


def test_the_products_own_name_needs_no_proof_where_nothing_else_fits(tmp_path):
    assert roles(tmp_path, [*CAMERAS, TOLD, foreign('/vla/action')]).action == '/vla/action'
    assert roles(tmp_path, [*CAMERAS, TOLD, foreign()]).action == ''


def test_wrong_numbers_are_no_objection(tmp_path):
    lines = [bags.trajectory('/vla/action', START, [float('nan')] * 7), twist()]
    assert roles(tmp_path, [*CAMERAS, TOLD, *lines]).action == '/vla/action'


@pytest.mark.parametrize(
    'other',
    ['/aaa_wheel/feed', '/cmd_vel', '/base/twist', '/odom/twist', '/joy/cmd', '/a/measured_twist'],
)
def test_twists_of_wheels_and_bases_come_after_those_of_the_arm(tmp_path, other):
    found = roles(tmp_path, [*CAMERAS, TOLD, twist(other), twist()])
    assert found.action == SERVO and found.others['action'] == (other,)


def test_poses_of_the_hand_come_before_twists_of_the_base(tmp_path):
    lines = [*CAMERAS, TOLD, twist('/base/cmd_vel'), bags.pose('/ee_pose', START, (0, 0, 0))]
    assert roles(tmp_path, lines).action == '/ee_pose'


@pytest.mark.parametrize(
    ('topics', 'best'),
    [
        (('/bt/task_status', '/vla/instruction'), '/vla/instruction'),
        (('/a/instruction', '/robot/vla/instruction'), '/robot/vla/instruction'),
        (('/a/task', '/b/prompt', '/c/language', '/d/instruction'), '/d/instruction'),
        (('/a/task', '/b/prompt', '/c/language'), '/c/language'),
        (('/a/task', '/b/prompts'), '/b/prompts'),
        (('/task_planner/plan', '/z/currentTask'), '/z/currentTask'),
        (('/multitasking', '/prompter'), ''),
        (('/task/state', '/task_result', '/instruction_log', '/taskFeedback'), ''),
    ],
)
def test_names_of_instructions_are_ranked_by_whole_words(topics, best):
    known = {name: names.instruction_rank(name) for name in topics}
    ranked = sorted((rank, name) for name, rank in known.items() if rank is not None)
    assert (ranked[0][1] if ranked else '') == best


@pytest.mark.parametrize('text', ['RUNNING', 'success', 'IDLE\n', '', '42', 'Running/OK'])
def test_a_state_is_no_instruction(tmp_path, text):
    lines = [*CAMERAS, bags.string('/a/instruction', START, text)]
    good = bags.string('/z/task', START, 'pick up the red cube')
    assert roles(tmp_path, [*lines, good]).instruction == '/z/task'
    with pytest.raises(BagError, match=r'looks like an instruction \(/a/instruction: says'):
        roles(tmp_path, lines)


def test_a_camera_is_what_can_be_seen_whatever_it_is_called(tmp_path):
    depth = bags.image('/camera/aligned', START, bags.picture(1), '16UC1')
    bayer = bags.compressed('/a/compressed', START, bags.picture(1), '.jpg')
    bayer.message.format = 'bayer_rggb8; jpeg compressed '
    found = roles(tmp_path, [*CAMERAS, TOLD, depth, bayer])
    assert found.images == ('/image_raw',)
    assert [topic for _, topic, _ in found.rejected] == ['/camera/aligned', '/a/compressed']


def test_of_a_camera_that_is_seen_compressed_only_that_is_taken(tmp_path):
    raw = bags.image('/c/image', START, bags.picture(1), 'bayer_rggb8')
    lines = [TOLD, raw, bags.compressed('/c/image/compressed', START, bags.picture(1), '.jpg')]
    assert roles(tmp_path, lines).images == ('/c/image/compressed',)


def test_the_colours_of_a_depth_camera_do_where_there_is_no_other(tmp_path):
    lines = [bags.image('/depth_camera/rgb', START, bags.picture(1)), TOLD]
    assert roles(tmp_path, lines).images == ('/depth_camera/rgb',)
    assert roles(tmp_path, [*CAMERAS, *lines]).images == ('/image_raw',)


def test_hands_are_told_by_whole_words(tmp_path):
    lines = [bags.image(topic, START, bags.picture(1)) for topic in ('/wristCam2', '/handle_view')]
    assert roles(tmp_path, [*lines, TOLD], cameras=2).images == ('/handle_view', '/wristCam2')


def test_a_camera_is_named_once(tmp_path):
    with pytest.raises(BagError, match='expected each once'):
        roles(tmp_path, [*CAMERAS, TOLD], Wishes(('/image_raw', '/image_raw')), cameras=2)


def test_joint_states_are_a_gripper_where_open_and_closed_are_known(tmp_path):
    lines = [
        *CAMERAS,
        TOLD,
        twist(),
        bags.joints('/joint_states', START, a=0.0),
        bags.joints('/joint_states', START + 1, finger_joint=0.04),
    ]
    assert roles(tmp_path, lines).grippers == ('/joint_states',)
    assert roles(tmp_path, lines, Wishes(ends=False)).grippers == ()
    own = [*lines, bags.joints('/gripper/state', START, finger=0.0)]
    found = roles(tmp_path, own, Wishes(ends=False))
    assert (found.grippers, found.rejected) == (
        (),
        (
            (
                'gripper',
                '/gripper/state',
                'holds joint states, give --gripper-open and --gripper-closed',
            ),
        ),
    )


def test_the_force_of_a_gripper_is_not_its_opening(tmp_path):
    lines = [bags.number(f'/gripper/{name}', START, 0.0) for name in ('force', 'command')]
    assert roles(tmp_path, [*CAMERAS, TOLD, twist(), *lines]).grippers == ('/gripper/command',)


def test_proprioception_is_the_topic_with_the_names_or_numbers_that_are_wanted(tmp_path):
    lines = [
        *CAMERAS,
        TOLD,
        bags.joints('/a/joint_states', START, wheel=1.0),
        bags.joints('/b/states', START, x=1.0, y=2.0),
    ]
    assert roles(tmp_path, lines, proprio=2).proprio == '/b/states'
    assert roles(tmp_path, lines, proprio=1).proprio == '/a/joint_states'
    assert roles(tmp_path, lines, proprio=2, proprio_names=['y', 'z']).proprio == '/b/states'
    with pytest.raises(BagError, match='has 1 positions, the checkpoint wants 3: give --prop'):
        roles(tmp_path, lines, proprio=3)


def test_a_topic_of_two_types_is_of_the_one_that_most_messages_have(tmp_path):
    lines = [
        *CAMERAS,
        TOLD,
        *(twist(SERVO, START + k) for k in range(3)),
        bags.pose(SERVO, START + 9, (0, 0, 0)),
        bags.number('/vla/instruction', START, 1.0),
    ]
    found = roles(tmp_path, lines)
    assert (found.action, found.kinds[SERVO]) == (SERVO, bags.TWIST)
    assert found.kinds['/vla/instruction'] == bags.STRING


def test_a_topic_that_is_told_is_taken_and_doubts_are_said(tmp_path):
    panda = foreign()
    found = roles(tmp_path, [*CAMERAS, TOLD, panda, twist()], Wishes(action=panda.topic))
    assert found.action == panda.topic
    assert found.rejected[0][2].startswith('as told, but columns are')
    assert found.facts()['chosen']['action'] == panda.topic
