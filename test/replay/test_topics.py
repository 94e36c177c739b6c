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

"""Which topic is what."""

import bags
import pytest

from vla_accel_ros.replay.bag.raw import BagError, Topic
from vla_accel_ros.replay.topics import Wishes, assign


def topics(**kinds):
    return {f'/{n.replace("__", "/")}': Topic(kind, 5) for n, kind in kinds.items()}


OURS = topics(
    image_raw=bags.IMAGE,
    wrist__image_raw=bags.IMAGE,
    vla__frame=bags.IMAGE,
    vla__action=bags.TRAJECTORY,
    vla__request=bags.TRAJECTORY,
    vla__action_chunk=bags.TRAJECTORY,
    vla__instruction=bags.STRING,
    gripper_command=bags.FLOAT,
    ee_pose=bags.POSE,
    servo_node__delta_twist_cmds=bags.TWIST,
)


def test_our_own_recordings_are_understood():
    roles = assign(OURS, Wishes(), 2)
    assert roles.images == ('/image_raw', '/wrist/image_raw')
    assert (roles.action, roles.instruction) == ('/vla/action', '/vla/instruction')
    assert roles.grippers == ()
    assert 'camera 1     /wrist/image_raw' in roles.describe()


def test_without_actions_the_twists_are_taken_and_without_them_the_poses():
    some = {n: t for n, t in OURS.items() if t.kind != bags.TRAJECTORY}
    roles = assign(some, Wishes(), 2)
    assert roles.action == '/servo_node/delta_twist_cmds'
    assert roles.grippers == ('/gripper_command',)
    some.pop('/servo_node/delta_twist_cmds')
    assert assign(some, Wishes(), 2).action == '/ee_pose'


def test_a_camera_that_is_recorded_raw_and_compressed_counts_once():
    some = topics(
        camera=bags.IMAGE,
        camera__compressed=bags.COMPRESSED,
        camera__depth=bags.IMAGE,
        task=bags.STRING,
    )
    assert assign(some, Wishes(), 1).images == ('/camera',)


@pytest.mark.parametrize(('wanted', 'found'), [(1, 2), (3, 2)])
def test_another_number_of_cameras_is_refused_and_says_how_to_choose(wanted, found):
    with pytest.raises(
        BagError,
        match=rf'{wanted} cameras? wanted, found {found}: /image_raw, /wr.*'
        '--image-topic',
    ):
        assign(OURS, Wishes(), wanted)


def test_what_is_said_is_what_counts():
    wishes = Wishes(('/wrist/image_raw',), '/ee_pose', ('none',), said='pour')
    roles = assign(OURS, wishes, 1)
    assert roles.images == ('/wrist/image_raw',)
    assert (roles.action, roles.grippers, roles.instruction) == ('/ee_pose', (), '')
    assert roles.topics == {'/wrist/image_raw', '/ee_pose'}
    assert assign(OURS, Wishes(action='none'), 2).action == ''


@pytest.mark.parametrize(
    ('wishes', 'message'),
    [
        (
            Wishes(('/nowhere', '/image_raw')),
            r'--image-topic /nowhere is not in the bag; topics of '
            r'the bag: .*/image_raw \[sensor_msgs/msg/Image, 5\]',
        ),
        (
            Wishes(action='/image_raw'),
            '--action-topic /image_raw is of type sensor_msgs/msg/Image, expected trajectory_msgs',
        ),
        (Wishes(instruction='/ee_pose'), '--instruction-topic /ee_pose is of type'),
    ],
)
def test_a_topic_that_will_not_do_is_named(wishes, message):
    with pytest.raises(BagError, match=message):
        assign(OURS, wishes, 2)


def test_without_images_or_instruction_nothing_can_be_replayed():
    with pytest.raises(BagError, match=r'no topic is of type .*; topics of the bag: /task'):
        assign(topics(task=bags.STRING), Wishes(), 1)
    with pytest.raises(BagError, match='give --instruction WORDS'):
        assign(topics(camera=bags.IMAGE), Wishes(), 1)
    empty = {'/camera': Topic(bags.IMAGE, 0), '/task': Topic(bags.STRING, 1)}
    with pytest.raises(BagError, match='holds messages'):
        assign(empty, Wishes(), 1)
    with pytest.raises(BagError, match='/camera holds no messages'):
        assign(empty, Wishes(('/camera',)), 1)


def test_joint_states_are_wanted_where_the_checkpoint_wants_them():
    with pytest.raises(BagError, match='wants proprioception'):
        assign(OURS, Wishes(), 2, proprio=True)
    some = OURS | topics(joint_states=bags.JOINTS, proprio=bags.JOINTS)
    assert assign(some, Wishes(), 2, proprio=True).proprio == '/proprio'
