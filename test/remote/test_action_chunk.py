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
"""MoveIt Pro's `GetActionChunk` served with messages that have the contract's fields."""

from dataclasses import dataclass, field
import json

import numpy as np
import pytest

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.models.heads.continuation import Continuation
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.remote.action_chunk import ChunkSession, Robot

ARM = [f'arm_{i}' for i in range(5)]
NAMES = (*ARM, 'finger')
SPACE = {
    'name': 'so100',
    'groups': [
        {'kind': 'joint_position', 'names': [f'joint_{i}' for i in range(4)]},
        {'kind': 'joint_displacement', 'names': ['wrist']},
        {'kind': 'gripper', 'names': ['jaw']},
    ],
}
WORDS = 'pick it up'


@dataclass
class State:
    name: list = field(default_factory=lambda: list(NAMES))
    position: list = field(default_factory=lambda: [0.1, 0.2, 0.3, 0.4, 0.5, 0.02])


@dataclass
class Image:
    encoding: str = 'rgb8'
    height: int = 48
    width: int = 64
    step: int = 192
    data: bytes = bytes(48 * 192)


@dataclass
class Dimension:
    label: str = ''
    size: int = 0
    stride: int = 0


@dataclass
class Layout:
    dim: list = field(default_factory=list)
    data_offset: int = 0


@dataclass
class Array:
    layout: Layout = field(default_factory=Layout)
    data: list = field(default_factory=list)


@dataclass
class Request:
    robot_state: State = field(default_factory=State)
    images: list = field(default_factory=list)
    image_names: list = field(default_factory=list)
    prompt: str = WORDS
    new_episode: bool = False
    previous_action_chunk: Array = field(default_factory=Array)
    previous_anchor_state: State = field(default_factory=State)
    frozen_prefix_steps: int = 0
    guidance_horizon: int = 0


@dataclass
class Point:
    positions: list = field(default_factory=list)


@dataclass
class Trajectory:
    joint_names: list = field(default_factory=list)
    points: list = field(default_factory=list)


@dataclass
class Response:
    CHUNK_PRODUCED = 1
    ERROR = 2
    status: int = 0
    message: str = ''
    chunk: Trajectory = field(default_factory=Trajectory)
    native_control_period: float = 0.0
    policy_action_chunk: Array = field(default_factory=Array)


@pytest.fixture(scope='module')
def policy(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp('chunk')
    for file in (request.config.rootpath / 'test/fixtures/smolvla_tiny').iterdir():
        (folder / file.name).symlink_to(file)
    (folder / 'conventions.json').write_text(json.dumps({'actions': SPACE}))
    return Policy.load(folder)


@pytest.fixture
def session(policy):
    views = tuple(f'camera_{i}' for i in range(policy.cameras))
    robot = Robot(policy.space, NAMES, views, (0.04, 0.0), NAMES)
    return ChunkSession(policy.sibling(), robot, 0.1, Continuation(), Point, Dimension, print)


def asked(session, **fields):
    names = list(session._robot.views)
    fields = {'images': [Image() for _ in names], 'image_names': names, **fields}
    return session.answer(Request(**fields), Response())


def rows_of(response):
    echo = response.policy_action_chunk
    return np.array(echo.data).reshape([each.size for each in echo.layout.dim])


def test_a_chunk_has_absolute_positions_of_the_robots_joints(session):
    response = asked(session, new_episode=True)
    rows = rows_of(response)
    assert (response.status, response.message) == (Response.CHUNK_PRODUCED, '')
    assert response.chunk.joint_names == list(NAMES)
    assert response.native_control_period == 0.1
    positions = np.array([point.positions for point in response.chunk.points])
    assert positions[:, :4] == pytest.approx(rows[:, :4])
    assert positions[:, 4] == pytest.approx(0.5 + np.cumsum(rows[:, 4]))
    assert positions[:, 5] == pytest.approx(0.04 * (1 - rows[:, 5]))


def test_joints_and_views_are_found_by_name_whatever_their_order(session):
    plain = asked(session, new_episode=True)
    state = State(list(NAMES)[::-1], [0.02, 0.5, 0.4, 0.3, 0.2, 0.1])
    again = asked(session, new_episode=True, robot_state=state)
    assert again.chunk == plain.chunk


def array(rows):
    dims = [Dimension('steps', len(rows)), Dimension('width', rows.shape[1])]
    return Array(Layout(dims), rows.ravel().tolist())


def left_behind(session, prefix, horizon):
    first = rows_of(asked(session, new_episode=True))
    left = first[3:]
    response = asked(
        session,
        previous_action_chunk=array(left),
        frozen_prefix_steps=prefix,
        guidance_horizon=horizon,
    )
    assert response.message == ''
    return left, rows_of(response)


def test_a_chunk_goes_on_from_the_frozen_prefix_of_the_one_before(session):
    left, guided = left_behind(session, 4, 5)
    assert session._policy._head._continuation.rtc_rows == 9
    first = asked(session, new_episode=True)
    free = rows_of(asked(session))
    assert first.message == ''

    def apart(rows):
        return np.abs(rows[:4] - left[:4])[:, :4].max()

    assert apart(guided) < apart(free) / 2


def test_a_frozen_prefix_may_outlast_what_is_left_and_a_horizon_of_0_leaves_it_to_the_method(
    session,
):
    left, _ = left_behind(session, 1000, 0)
    assert len(left) < 1000
    settings = session._policy._head._continuation
    assert (settings.rtc, settings.rtc_rows) == ('exp', 0)


def test_a_new_episode_or_another_prompt_forgets_the_chunk_before(session):
    plain = rows_of(asked(session, new_episode=True))
    again = rows_of(
        asked(session, new_episode=True, previous_action_chunk=array(plain), guidance_horizon=5)
    )
    assert again == pytest.approx(plain)
    other = asked(session, prompt='pick up', previous_action_chunk=array(plain))
    assert other.message == ''
    assert session._policy._head._continuation.rtc == 'off'


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'prompt': ' '}, 'prompt is empty'),
        ({'image_names': []}, 'image_names are empty for'),
        ({'images': [], 'image_names': []}, 'image_names has no camera_0, only no name'),
        ({'robot_state': State(['a'], [0.0])}, 'robot_state has no arm_0'),
        ({'robot_state': State(['a'], [])}, 'robot_state has 0 positions for 1 names'),
        ({'robot_state': State(['a', 'a'], [0, 0])}, 'robot_state names a joint twice'),
        ({'robot_state': State(position=[float('nan')] * 6)}, 'expected finite positions'),
        ({'previous_action_chunk': array(np.zeros((3, 7)))}, r'numbers in \[3, 7\]'),
        ({'previous_action_chunk': array(np.full((3, 6), np.inf))}, 'has NaN or infinity'),
        ({'guidance_horizon': -1}, 'guidance_horizon -1, expected 0 to'),
    ],
)
def test_what_cannot_be_answered_is_an_error_with_its_reason_and_no_chunk(session, fields, said):
    response = asked(session, **fields)
    assert response.status == Response.ERROR
    assert not response.chunk.points and '\n' not in response.message
    with pytest.raises(ValueError, match=said):
        raise ValueError(response.message)
    assert asked(session).status == Response.CHUNK_PRODUCED


def test_a_defect_is_answered_too_and_told(session, monkeypatch, capsys):
    def fail(*_, **__):
        raise RuntimeError('no memory left')

    monkeypatch.setattr(session._policy, 'predict', fail)
    response = asked(session)
    assert response.status == Response.ERROR
    assert response.message in capsys.readouterr().out
    assert 'no memory left' in response.message


def test_a_picture_that_is_none_is_named(session):
    names = list(session._robot.views)
    broken = [Image(data=b'')] + [Image() for _ in names[1:]]
    assert asked(session, images=broken).message.startswith('image camera_0: data has 0 bytes')


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'space': END_EFFECTOR}, 'expected joints and grippers'),
        ({'joints': NAMES[:5]}, 'expected one of its own for each of joint_0'),
        ({'gripper': (1.0, 1.0)}, 'expected two different positions'),
    ],
)
def test_a_robot_that_does_not_go_with_the_columns_is_refused(changes, said):
    given = {'space': ActionSpace.from_values(SPACE), 'joints': NAMES, 'views': ('a',), **changes}
    with pytest.raises(ValueError, match=said):
        Robot(**given)


@pytest.mark.parametrize(
    ('changes', 'said'),
    [({'views': ()}, 'the pictures are'), ({'state': ()}, 'the state is empty')],
)
def test_a_robot_that_does_not_go_with_the_checkpoint_is_refused(policy, session, changes, said):
    given = {**vars(session._robot), **changes}
    with pytest.raises(ValueError, match=said):
        ChunkSession(policy, Robot(**given), 0.1, Continuation(), Point, Dimension, print)
