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

"""Two arms at a joint trajectory controller's topic: nothing unsafe gets there, whatever comes."""

from functools import partial
from itertools import count, cycle
import json
import math
import signal

from arm_recorder import NS
from joint_feeder import NAMES, PERIOD_S, STATE_S, JointFeeder
from joint_recorder import TOPIC, JointRecorder
from joint_robots import ALOHA
import numpy as np
import pytest
from rig import Rig
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.graph.processes import Deployment
from vla_accel_ros.ros import qos
from vla_accel_ros.safety.joint_limits import JointSettings

STALE_S = JointSettings().max_age_s


@pytest.fixture(scope='module')
def two_arms(tmp_path_factory):
    """Give a rig of arm_command alone, which commands the joints of two arms."""
    folder = tmp_path_factory.mktemp('logs')
    space = folder / 'space.json'
    space.write_text(json.dumps(ALOHA.to_values()))
    rig = Rig(Deployment(), folder, ['arm_command'], witness=JointRecorder)
    settings = {'command': 'joint_trajectory', 'action_space': str(space)}
    try:
        with rig.processes.parameters('arm_command', **settings):
            rig.start()
            rig.feeder = JointFeeder(rig)
            yield rig
    finally:
        rig.close()


@pytest.fixture
def rig(two_arms):
    """Give that rig with the arms moving, whatever the test before has left."""
    rig = two_arms
    rig.feeder.reset()
    if not rig.processes.all_alive():
        rig.start('arm_command')
    rig.enable()
    rig.moves()
    rig.reports.mark()
    yield rig
    rig.recorder.verify()
    assert rig.errors == []


def goes_on(rig):
    """See that the arms move again by themselves once all is well."""
    rig.feeder.reset()
    rig.moves()


# Every way in which an action of joints can be bad, by the reason that it is refused for.
BAD = [
    ('nan_or_inf', {'further': math.nan}),
    ('nan_or_inf', {'further': -math.inf}),
    ('jump', {'further': 0.6}),
    ('joint_position', {'further': 9.0}),
    ('joint_velocity', {'further': 0.06, 'step_s': 0.02}),
    ('joint_acceleration', {'further': 0.03, 'step_s': 0.02}),
    ('gripper_range', {'gripper': [0.0, 7.0]}),
    ('stale', {'age_s': 1.0}),
    ('from_the_future', {'age_s': -60.0}),
    ('malformed', {'step_s': 0.0}),
    ('wrong_frame', {'frame': 'camera_link'}),
]
MALFORMED = [
    lambda message: setattr(message, 'points', []),
    lambda message: setattr(message, 'joint_names', NAMES[:7]),
    lambda message: setattr(message.points[0], 'positions', [0.0] * 7),
]


def test_bad_actions_amid_good_ones_are_refused_by_name_and_the_arms_move_on(rig):
    def spoilt(spoil):
        message = rig.feeder.action()
        spoil(message)
        return message

    rig.feeder.between = cycle(
        [
            *(partial(rig.feeder.action, **bad) for _, bad in BAD),
            *(partial(spoilt, spoil) for spoil in MALFORMED),
        ]
    )
    for reason, _ in BAD:
        rig.tells('arm_command', reason)
    kinds = len(BAD) + len(MALFORMED)
    rig.until(lambda: rig.feeder.sent_between > kinds, 'all were sent')
    rig.moves()


@pytest.mark.parametrize(
    ('reason', 'spoil', 'age_s'),
    [
        ('nan_or_inf', lambda joints: np.full(12, math.nan), 0.0),
        ('jump', lambda joints: joints + 0.8, 0.0),
        ('stale', None, 1.0),
    ],
    ids=['nan_or_inf', 'jump', 'stale'],
)
def test_nothing_but_bad_actions_holds_what_is_measured_until_good_ones_come(
    rig, reason, spoil, age_s
):
    rig.feeder.spoil, rig.feeder.age_s = spoil, age_s
    rig.rests(rig.feeder.horizon_ns)
    rig.tells('arm_command', 'watchdog', reason)
    assert rig.recorder.at_a_state
    goes_on(rig)


def test_silence_holds_what_is_measured_and_the_next_action_moves_the_arms_again(rig):
    rig.rests(rig.feeder.cease())
    rig.tells('arm_command', 'watchdog', 'no_action')
    assert rig.recorder.at_a_state
    goes_on(rig)


def lacks_one(message):
    at = message.name.index('right_joint3')
    message.name.pop(at), message.position.pop(at)


def is_nan(message):
    message.position[message.name.index('left_joint1')] = math.nan


@pytest.mark.parametrize(
    ('state', 'said'),
    [(None, 'left_joint1'), (lacks_one, 'right_joint3'), (is_nan, 'left_joint1')],
    ids=['silent', 'one missing', 'nan'],
)
def test_joint_states_that_say_nothing_end_the_motion_and_name_the_joints(rig, state, said):
    rig.feeder.telling, rig.feeder.state = state is not None, state
    rig.rests(rig.feeder.state_ns + round((STALE_S + PERIOD_S) * NS))
    rig.tells('arm_command', 'watchdog', 'joints_stale')
    rig.tells('arm_command', 'joints_stale', said)
    goes_on(rig)


def test_a_second_publisher_of_joint_states_ends_the_motion_and_moves_no_joint_to_where_it_says(
    rig,
):
    others = (rig.feeder.message([1.5] * 12) for _ in count())
    with rig.publishing(JointState, 'joint_states', qos.SENSOR, others):
        rig.tells('arm_command', 'stopped', 'joints_leap')
        rig.rests(rig.feeder.good_ns)
        # Nobody knows where the joints are: a stop does not send them anywhere either.
        sent_ns = rig.recorder.sent_ns
        rig.stop()
        assert 'joints_leap' in rig.ask_to_enable().message
        assert rig.recorder.sent_ns == sent_ns
    rig.enable()
    rig.moves()


def test_arms_that_do_not_follow_are_held_where_they_are(rig):
    # Faster than they may move, in steps that are no leap, and never out of their range.
    rig.feeder.pushed = 0.03 if rig.feeder.at[0] < 0 else -0.03
    horizon_ns = rig.feeder.cease()
    rig.until(lambda: rig.reports.told('arm_command', 'watchdog', 'left_behind'), 'it is named')
    rig.feeder.pushed = 0.0
    rig.rests(horizon_ns)
    assert rig.recorder.at_a_state
    goes_on(rig)


def test_a_description_without_a_joint_ends_the_motion_until_one_comes_with_all(rig):
    changed_ns = rig.now_ns()
    rig.feeder.describe(NAMES[:11])
    rig.rests(changed_ns + round(PERIOD_S * NS))
    rig.tells('arm_command', 'no_joint_limits', NAMES[11])
    assert rig.recorder.at_a_state
    rig.feeder.describe()
    goes_on(rig)


def test_a_wrong_start_pose_is_refused_with_both_numbers_and_moves_nothing(rig):
    rig.feeder.cease()
    rig.ask_to_enable(False)
    rig.rests(rig.feeder.horizon_ns)
    here = rig.recorder.last_motion_ns
    rig.feeder.reset()
    rig.feeder.spoil = lambda joints: joints + 1.0
    rig.enable()
    rig.tells('arm_command', 'jump')
    refusal = rig.reports.value('arm_command', 'last_refusal')
    assert f'is measured at {rig.feeder.at[0]:.4g} rad and the action says' in refusal
    assert rig.recorder.moves_after(here) == 0
    rig.feeder.reset()
    rig.moves()


def test_a_second_publisher_of_actions_holds_the_arms_until_they_are_enabled_again(rig):
    with rig.publishing(JointTrajectory, 'vla/action', qos.CONTROL, [rig.feeder.action()]):
        rig.tells('arm_command', 'several_publishers', 'vla/action')
        rig.recorder.forbid()
        rig.rests()
        assert rig.recorder.at_a_state
        assert 'several_publishers' in rig.ask_to_enable().message
    rig.enable()
    rig.moves()


def test_a_silent_stranger_at_the_joints_holds_them_until_it_is_gone_and_they_are_enabled(rig):
    stranger = rig.peer.create_publisher(JointTrajectory, TOPIC, qos.CONTROL)
    rig.tells('arm_command', 'several_publishers', TOPIC)
    rig.recorder.forbid()
    rig.rests()
    assert rig.recorder.at_a_state
    rig.peer.destroy_publisher(stranger)
    rig.enable()
    rig.moves()


@pytest.mark.parametrize('halt', ['stop', 'disable'])
def test_a_halt_by_the_operator_holds_what_is_measured_until_the_arms_are_enabled(rig, halt):
    if halt == 'stop':
        rig.stop()
    else:
        assert rig.ask_to_enable(False).success
    rig.rests()
    assert rig.recorder.at_a_state
    rig.counts('arm_command', 'not_enabled')
    rig.enable()
    rig.moves()


def test_the_last_word_of_an_arm_command_that_is_ended_is_what_is_measured(rig):
    assert rig.end('arm_command', signal.SIGTERM) == 0
    ended_ns = rig.now_ns()
    rig.until(lambda: rig.now_ns() > ended_ns + round(5 * STATE_S * NS), 'what was sent has come')
    assert rig.recorder.at_a_state
