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

"""Recordings of joints: the topics of a joint graph, and actions of another space."""

import bags
from joint_robots import ALOHA, SEVEN, SIX_BY_STEPS, SPACES, joints_of
import numpy as np
import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.replay.bag.raw import BagError
from vla_accel_ros.replay.bag.reader import Bag
from vla_accel_ros.replay.evidence import Evidence
from vla_accel_ros.replay.recorded import Recorded
from vla_accel_ros.replay.roles import Wishes, action_kinds
from vla_accel_ros.replay.spaces import check_recorded, check_same
from vla_accel_ros.replay.stream import Fitting, Stream
from vla_accel_ros.replay.topics import assign

START, STEP, NS = bags.START, bags.STEP, bags.NS
FRAMES = 4
CONTROLLER = '/joint_trajectory_controller/joint_trajectory'


def recording(*lines):
    told = bags.string('/vla/instruction', START - 1, 'pour')
    seen = [bags.image('/image_raw', START + k * STEP, bags.picture(k)) for k in range(FRAMES)]
    return sorted([told, *seen, *lines], key=lambda line: line.stamp_ns)


def read(tmp_path, lines, space, wishes=None):
    """Return the roles, the faults, and what was done in the first three steps."""
    bag = Bag(bags.write_mcap(tmp_path / 'bag.mcap', recording(*lines)))
    evidence = Evidence(bag, space=space)
    wishes = wishes or Wishes()
    check_recorded(evidence, bag.topics, wishes.action, space, 'the checkpoint')
    roles = assign(
        bag.topics,
        wishes,
        1,
        objection=evidence.objection,
        space=space,
        holds_grippers=evidence.holds_grippers,
    )
    stream, recorded = Stream(bag, roles, Fitting(0), space=space), Recorded(space, 0.05)
    for moment in stream:
        for sample in moment.samples:
            recorded.take(sample)
    rows = np.array([recorded.at(START + k * STEP) for k in range(FRAMES - 1)])
    return roles, dict(stream.faults.counts), rows


def place(space, k):
    """Give where the joints are at step `k`, each elsewhere."""
    return 0.1 * k + 0.01 * np.arange(len(space.moving))


def grippers(space):
    return [
        bags.number(f'/{space.names[i]}_command', START, float(at))
        for at, i in enumerate(space.grippers)
    ]


def commanded(space, k):
    names = [*reversed(joints_of(space)), 'torso']
    values = [*reversed(place(space, k)), 9.0]
    return bags.trajectory(CONTROLLER, START + (k - 1) * STEP, values, names=names)


FORMS = {
    'commands': lambda space, k: [commanded(space, k)],
    'array': lambda space, k: [
        bags.array('/forward_position_controller/commands', START + k * STEP, place(space, k))
    ],
    'states': lambda space, k: [
        bags.joints(
            '/joint_states',
            START + k * STEP,
            **dict(zip(joints_of(space), place(space, k), strict=True)),
        )
    ],
}


@pytest.mark.parametrize('space', SPACES, ids=lambda space: space.name)
@pytest.mark.parametrize('form', sorted(FORMS))
def test_what_a_joint_graph_publishes_says_what_was_done(tmp_path, space, form):
    lines = [line for k in range(FRAMES + 1) for line in FORMS[form](space, k)]
    roles, faults, rows = read(tmp_path, [*lines, *grippers(space)], space)
    assert (roles.action, faults) == (lines[0].topic, {})
    assert roles.grippers == tuple(f'/{space.names[i]}_command' for i in space.grippers)
    for k, row in enumerate(rows):
        wanted = place(space, k + 1)
        if len(space.displacements):
            wanted = wanted - place(space, k)
        assert row[space.moving] == pytest.approx(wanted)
        assert row[space.grippers].tolist() == [float(at) for at in range(len(space.grippers))]


@pytest.mark.parametrize('space', SPACES, ids=lambda space: space.name)
def test_the_actions_of_the_scheduler_are_taken_before_all_others(tmp_path, space):
    values = np.linspace(0.0, 1.0, space.width)
    lines = [
        bags.trajectory('/vla/action', START + k * STEP, values, names=space.names)
        for k in range(FRAMES)
    ]
    lines += [commanded(space, 0), *grippers(space)]
    roles, faults, rows = read(tmp_path, lines, space)
    assert (roles.action, roles.grippers, faults) == ('/vla/action', (), {})
    np.testing.assert_array_equal(rows, [values] * (FRAMES - 1))


def test_two_drivers_may_tell_an_arm_each_and_others_do_not_matter(tmp_path):
    halves = [joints_of(ALOHA)[:6], joints_of(ALOHA)[6:], ['wheel']]
    lines = [
        bags.joints('/joint_states', START + k * STEP + at, **dict.fromkeys(half, 0.1 * k))
        for k in range(FRAMES + 1)
        for at, half in enumerate(halves)
    ]
    _, faults, rows = read(tmp_path, lines, ALOHA)
    assert faults == {}
    assert rows[0][ALOHA.moving] == pytest.approx(0.1, abs=1e-6)


def test_a_command_for_another_day_is_counted(tmp_path):
    lines = [commanded(SEVEN, k) for k in range(FRAMES + 1)]
    lines[2].message.points[0].time_from_start.sec = 86400
    _, faults, rows = read(tmp_path, lines, SEVEN)
    assert faults == {'unreadable': 1}
    assert rows[0][SEVEN.moving] == pytest.approx(place(SEVEN, 1))


def test_joints_that_are_never_told_are_named(tmp_path):
    lines = [
        bags.joints('/joint_states', START + k * STEP, **dict.fromkeys(joints_of(SEVEN)[1:], 0.0))
        for k in range(FRAMES)
    ]
    _, faults, rows = read(tmp_path, lines, SEVEN)
    assert faults == {'no_joints': 1} and np.isnan(rows).all()


@pytest.mark.parametrize(
    ('space', 'names', 'wish'),
    [
        (SEVEN, END_EFFECTOR.names, ''),
        (END_EFFECTOR, SEVEN.names, ''),
        (SEVEN, ALOHA.names, '/vla/action'),
        (SIX_BY_STEPS, joints_of(SIX_BY_STEPS)[1:], '/vla/action'),
    ],
)
def test_actions_of_another_space_are_refused_with_both(tmp_path, space, names, wish):
    line = bags.trajectory('/vla/action', START, np.zeros(len(names)), names=names)
    with pytest.raises(BagError) as error:
        read(tmp_path, [line], space, Wishes(action=wish))
    said = str(error.value)
    assert f'/vla/action has actions of {" ".join(names)}' in said
    assert ' '.join(joints_of(space)[:2]) in said and '--action-topic' in said
    roles, _, rows = read(tmp_path, [line], space, Wishes(action='none'))
    assert roles.action == '' and np.isnan(rows).all()


def test_a_space_of_another_kind_is_refused_whatever_it_is_called():
    check_same(SEVEN, SEVEN, 'a', 'b')
    steps = type(SEVEN)(
        SEVEN.name, [type(g)(SIX_BY_STEPS.groups[0].kind, g.names) for g in SEVEN.groups[:1]]
    )
    with pytest.raises(ValueError, match=r'a says .*joint_displacement joint1.*b has joint_posit'):
        check_same(steps, SEVEN, 'a', 'b')


def test_a_gripper_topic_is_told_once_a_gripper(tmp_path):
    lines = [*grippers(ALOHA), commanded(ALOHA, 0)]
    with pytest.raises(BagError, match=r'given 1 times, expected once for each of left_gripper'):
        read(tmp_path, lines, ALOHA, Wishes(grippers=('/left_gripper_command',)))


def test_types_that_cannot_say_it_are_no_candidates():
    assert bags.TWIST not in action_kinds(SEVEN) and bags.JOINTS in action_kinds(ALOHA)
    assert action_kinds(END_EFFECTOR) == (bags.TRAJECTORY, bags.TWIST, bags.POSE)
