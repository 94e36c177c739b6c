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

"""What a checkpoint's folder says of its columns: joints, where a flow answers them."""

import json

from joint_robots import ALOHA, SEVEN, SIX_BY_STEPS
import numpy as np
import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.serving import check_space, check_tool
from vla_accel_ros.observations import Observation
from vla_accel_ros.paths import checkpoint_folder

FIVE = [
    {'kind': 'joint_position', 'names': [f'joint_{i}' for i in range(5)]},
    {'kind': 'gripper', 'names': ['jaw']},
]


@pytest.fixture
def said(tmp_path):
    """Give a folder that says what a fixture's columns are."""

    def write(folder, space):
        for file in folder.iterdir():
            (tmp_path / file.name).symlink_to(file)
        own = tmp_path / 'conventions.json'
        own.unlink(missing_ok=True)
        own.write_text(json.dumps({'actions': space}))
        return tmp_path

    return write


@pytest.fixture(scope='module')
def fixtures(request):
    return request.config.rootpath / 'test' / 'fixtures'


def test_six_columns_that_nothing_speaks_of_are_executed_by_nobody(fixtures):
    policy = Policy.load(fixtures / 'smolvla_tiny')
    assert policy.space is None
    with pytest.raises(ValueError, match=r'of 6 columns, and nothing says.*conventions\.json'):
        check_space(policy)


def test_five_joints_and_a_gripper_are_answered_as_such(fixtures, said):
    plain = Policy.load(fixtures / 'smolvla_tiny')
    policy = Policy.load(said(fixtures / 'smolvla_tiny', {'name': 'so100', 'groups': FIVE}))
    check_space(policy)
    # An environment or a recording of a tool would take them for displacements.
    with pytest.raises(ValueError, match=r'answers joint_0 .* jaw, expected displacements of one'):
        check_tool(policy)
    assert policy.space.names == ('joint_0', 'joint_1', 'joint_2', 'joint_3', 'joint_4', 'jaw')
    assert policy.sibling().space == policy.space
    size = policy.image_size
    views = (np.full((size, size, 3), 90, np.uint8),) * policy.cameras
    seen = Observation(views, 'pick it up', 0, np.zeros(6))
    found, expected = (each.predict(seen).chunk_values for each in (policy, plain))
    np.testing.assert_array_equal(found[:, :5], expected[:, :5])
    assert ((found[:, 5] >= 0) & (found[:, 5] <= 1)).all()


def test_seven_columns_are_those_of_a_tool_unless_the_folder_says_joints(fixtures, said):
    pi0 = fixtures / 'pi0_tiny'
    assert Policy.load(pi0).space == END_EFFECTOR
    joints = {'name': 'arm', 'groups': SIX_BY_STEPS.to_values()['groups']}
    policy = Policy.load(said(pi0, joints))
    assert policy.space.names == SIX_BY_STEPS.names


@pytest.mark.parametrize('space', [SEVEN, ALOHA], ids=['eight', 'fourteen'])
def test_another_number_of_columns_is_refused(fixtures, said, space):
    with pytest.raises(CheckpointError, match=rf'actions of {space.width} columns.* has 7'):
        Policy.load(said(fixtures / 'pi0_tiny', space.to_values()))


def test_tokens_of_a_tool_are_no_joints(said):
    folder = said(checkpoint_folder('tabletop-s'), SIX_BY_STEPS.to_values())
    with pytest.raises(CheckpointError, match=r'conventions\.json says actions of.*head answers'):
        Policy.load(folder)
