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

"""Layouts of openpi's robots: a server that reads each as openpi's own transforms do."""

from contextlib import contextmanager
import json

from joint_robots import ALOHA, SEVEN, robot_space
import numpy as np
from policy_server import ServerProcess
import pytest

from vla_accel_ros.action_columns import ColumnKind
from vla_accel_ros.observations import Observation
from vla_accel_ros.remote.errors import RemoteRefusedError
from vla_accel_ros.remote.layouts import LAYOUTS
from vla_accel_ros.remote.policy import RemotePolicy
from vla_accel_ros.remote.settings import RemoteSettings, state_names
from vla_accel_ros.remote.wants import wants_of_server

SIZE = 16
STEPS = robot_space(7, kind=ColumnKind.JOINT_DISPLACEMENT)
LIBERO = {'remote_metres': 1.0, 'remote_radians': 1.0, 'remote_gripper': 'closed_is_one'}
# A 1 of DROID's velocities is 0.2 rad over a step.
DROID = {'remote_radians': 0.2, 'remote_gripper': 'closed_is_one'}
TWO_ARMS = {'remote_radians': 1.0, 'remote_gripper': 'open_is_one'}


def names(count):
    return tuple(f'j{place}' for place in range(count))


@pytest.fixture
def values(tmp_path):
    """Give the parameters of a layout, for a robot of the right kind."""

    def give(layout, space=None, **changed):
        file = tmp_path / 'space.json'
        if space is not None:
            file.write_text(json.dumps(space.to_values()))
            changed = {'remote_space': str(file), **changed}
        given = {'remote': 'ws://here:1', 'remote_layout': layout, 'remote_image_size': SIZE}
        count = LAYOUTS[layout].state_size if layout in LAYOUTS else 0
        return {**given, 'proprio_names': names(count), **changed}

    return give


@contextmanager
def served(robot, width, given):
    """Give what answers from a server that reads this robot's observations."""
    server = ServerProcess(width=width, robot=robot)
    policy = RemotePolicy(RemoteSettings.of({**given, 'remote': server.url}), state_names(given))
    try:
        yield policy
    finally:
        policy.close()
        server.kill()


def ask(policy, levels, state):
    """Ask with pictures that are black but for their first line."""
    pictures = []
    for level in levels:
        picture = np.zeros((SIZE, SIZE, 3), np.uint8)
        picture[0] = level
        pictures.append(picture)
    return policy.predict(Observation(tuple(pictures), 'lift', proprio=state)).chunk_values


def test_liberos_pictures_and_state_arrive(values):
    state = np.linspace(0.1, 0.8, 8)
    with served('libero', 7, values('libero', **LIBERO)) as policy:
        chunk = ask(policy, (100, 200), state)
    assert chunk[0] == pytest.approx(state[:7])
    assert chunk[1] == pytest.approx([0.1, 0.2, 0, 0, 0, 0, 0])


def test_droids_two_states_arrive_and_its_velocities_are_displacements_over_a_step(values):
    state = np.linspace(0.1, 0.8, 8)
    with served('droid', 8, values('droid', STEPS, **DROID)) as policy:
        chunk = ask(policy, (100, 200), state)
    assert chunk[0] == pytest.approx([*(0.2 * state[:7]), 0.8])
    assert chunk[1, :3] == pytest.approx([0.02, 0.04, 0.0])


@pytest.mark.parametrize(
    ('views', 'levels'),
    [
        (('',), (100, 150, 200)),
        (('cam_high',), (100,)),
        (('cam_high', 'cam_left_wrist', 'cam_right_wrist', 'cam_low'), (100, 150, 200, 250)),
    ],
)
def test_alohas_pictures_arrive_in_a_map_channels_first(values, views, levels):
    given = values('aloha', ALOHA, **TWO_ARMS, remote_images=views)
    state = np.linspace(0.1, 0.8, 14)
    with served('aloha', 14, given) as policy:
        assert policy.cameras == len(levels)
        chunk = ask(policy, levels, state)
    # The server's grippers are 1 when open, ours when closed.
    wanted = state.copy()
    wanted[ALOHA.grippers] = 1.0 - wanted[ALOHA.grippers]
    assert chunk[0] == pytest.approx(wanted)
    assert chunk[1, : len(levels)] == pytest.approx(np.array(levels) / 1000)


def test_the_state_goes_out_in_the_servers_units(values):
    scale, offset = (*(57.29578,) * 7, -25.0), (*(0.0,) * 7, 1.0)
    given = values('droid', STEPS, **DROID, remote_state_scale=scale, remote_state_offset=offset)
    with served('droid', 8, given) as policy:
        chunk = ask(policy, (1, 2), np.array([*(0.1,) * 7, 0.03]))
    assert chunk[0] == pytest.approx([*(0.2 * 5.729578,) * 7, 0.25])


def test_a_server_of_another_robot_says_what_it_lacks(values):
    given = values('libero', **LIBERO)
    with (
        served('droid', 8, given) as policy,
        pytest.raises(RemoteRefusedError, match='observation/joint_position'),
    ):
        ask(policy, (1, 2), np.zeros(8))


def test_the_check_before_the_start_knows_the_layout(values):
    wants = wants_of_server(values('aloha', ALOHA, **TWO_ARMS))
    assert (wants.views.count, wants.state.width) == (3, 14)


@pytest.mark.parametrize(
    ('layout', 'space', 'changed', 'words'),
    [
        (
            'libero',
            None,
            {'remote_images': ('observation/image',)},
            'remote_images are observation/image, and remote_layout libero wants '
            'observation/image, observation/wrist_image$',
        ),
        (
            'aloha',
            ALOHA,
            {'remote_images': ('cam_low',)},
            'aloha wants cam_high, and knows cam_lo',
        ),
        ('aloha', ALOHA, {'remote_images': ('cam_high', 'top')}, 'are cam_high, top, and remote_'),
        ('aloha', SEVEN, {}, '6 joint_position and a gripper of the left arm, then of the right'),
        ('droid', None, {}, 'the columns of an answer are translation, .* set remote_space'),
        ('droid', ALOHA, {}, '7 joints .velocities are joint_displacement, over a step. and a'),
        ('libero', SEVEN, {}, 'remote_layout libero gives x y z roll pitch yaw and a gripper'),
        (
            'droid',
            STEPS,
            {'proprio_names': names(7)},
            'proprio_names are j0, .*, and remote_layout droid wants 8 numbers: 7 as '
            'observation/joint_position, then 1 as observation/gripper_position',
        ),
        (
            'aloha',
            ALOHA,
            {'proprio_names': ('',)},
            'remote_layout is aloha and proprio_names is empty, .* in its order: 14 as state',
        ),
        ('aloha', ALOHA, {'remote_state': 'state'}, 'remote_layout aloha has its own keys'),
        ('droid', STEPS, {'remote': 'http://here:1/act'}, 'the layout is of an openpi server'),
        (
            'droid',
            STEPS,
            {'remote_state_scale': (1.0, 2.0)},
            'remote_state_scale has 2 numbers, expected 1 or 8, as many as proprio_names',
        ),
        ('droid', STEPS, {'remote_state_offset': (1.0,) * 7}, 'remote_state_offset has 7 numbers'),
        ('sideways', None, {}, "remote_layout is 'sideways', expected one of"),
    ],
)
def test_what_the_robot_does_not_give_is_named(values, layout, space, changed, words):
    with pytest.raises(ValueError, match=words):
        RemoteSettings.of(values(layout, space, **changed))


def test_the_order_of_the_servers_columns_counts_not_ours(values):
    swapped = ('gripper', *STEPS.names[:-1])
    with pytest.raises(ValueError, match='are gripper, joint_displacement'):
        RemoteSettings.of(values('droid', STEPS, remote_columns=swapped))
    assert RemoteSettings.of(values('droid', SEVEN)).layout is LAYOUTS['droid']
