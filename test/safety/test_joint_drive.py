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

"""The guard over joints: what reaches a controller of ros2_control, and what does not."""

from dataclasses import replace

from guarded_robot import CONFIG, MS, STEP_S, Robot
from hypothesis import given, settings
from hypothesis import strategies as st
from joint_robots import ALOHA, RANGE, SEVEN, SIX_BY_STEPS, SPACES, SPEED, urdf
import numpy as np
import pytest

from vla_accel_ros.action_columns import ColumnKind, Group
from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action
from vla_accel_ros.safety.interlock import State
from vla_accel_ros.safety.joint_drive import JointDrive
from vla_accel_ros.safety.joint_limits import JointSettings


@pytest.mark.parametrize('space', SPACES, ids=lambda space: space.name)
def test_actions_of_every_space_reach_their_place(space):
    robot = Robot(space)
    by_steps = len(space.positions) == 0
    for k in range(1, 5):
        assert robot.act(0.02 if by_steps else 0.1 + 0.02 * k) is None
        for _ in range(5):
            command = robot.tick()
        assert command.state is State.ENABLED
    robot.tick()
    np.testing.assert_allclose(robot.at, 0.18)
    assert len(command.grippers) == len(space.grippers)


def test_every_gripper_has_a_latch_of_its_own():
    robot = Robot(ALOHA)
    assert robot.act(0.1, gripper=[0.0, 1.0]) is None
    assert robot.tick(0).grippers == (0.0, 1.0)


@pytest.mark.parametrize(
    'joints, reason, detail',
    [
        (2.0, 'jump', 'joint1 is measured at 0.1 rad and the action says 2: 1.9 apart, at most'),
        ([0.1] * 6 + [0.5], 'jump', 'joint7 is measured at 0.1 rad and the action says 0.5'),
        (9.0, 'joint_position', 'joint1 would be at 9 rad, expected -2.8 to 2.8'),
        (np.nan, 'nan_or_inf', 'action is'),
    ],
)
def test_a_first_action_that_cannot_be_is_refused_with_both_numbers(joints, reason, detail):
    robot = Robot()
    refusal = robot.act(joints)
    assert refusal.reason == reason
    assert refusal.detail.startswith(detail)
    assert robot.tick().values == ()


def test_speed_and_acceleration_are_refused_by_the_joint():
    robot = Robot()
    assert robot.act(0.12) is None
    robot.tick(50)
    fast = robot.act([0.14] * 6 + [0.12 + 1.01 * SPEED * STEP_S])
    assert fast == ('joint_velocity', 'joint7 would move at 2.02 rad/s, at most 2')
    robot.guard.configure(replace(CONFIG, joints=JointSettings(acceleration=(10.0,))))
    assert robot.act([0.14] * 6 + [0.15]).reason == 'joint_acceleration'
    assert robot.act(0.14) is None
    robot.tick(50)
    # Braking is free.
    assert robot.act(0.14) is None


def test_displacements_begin_at_the_measured_place_and_their_speed_is_limited_from_the_first():
    robot = Robot(SIX_BY_STEPS)
    assert robot.act(0.11).reason == 'joint_velocity'
    assert robot.act(0.05) is None
    assert robot.act(0.05).reason == 'out_of_order'
    robot.tick(1)
    assert robot.act(0.05) is None
    assert robot.guard.drive._stream.target == pytest.approx((0.2,) * 6)


def test_from_outside_the_range_only_the_way_back_is_allowed():
    robot = Robot(at=RANGE + 0.05)
    assert robot.guard.drive.obstacles(0) == []
    assert robot.act(RANGE + 0.1).reason == 'joint_position'
    assert robot.act(RANGE - 0.05) is None
    for _ in range(4):
        assert robot.tick().state is State.ENABLED
    far = Robot(at=50.0)
    ((reason, detail),) = far.guard.drive.obstacles(0)
    assert reason == 'joint_position'
    assert detail.startswith('joint1 is at 50 rad, expected -2.8 to 2.8')


def test_the_watchdog_holds_the_measured_position_and_not_the_last_command():
    robot = Robot()
    robot.act(0.2)
    robot.tick(0)
    last = robot.tick(20, follow=False).values
    robot.at[:] = 0.13
    robot.measure()
    robot.now_ms = 95
    robot.measure()
    held = robot.guard.tick(95 * MS)
    assert held.reason == 'watchdog/no_action'
    assert held.values == (0.13,) * 7
    assert held.values != last
    # Held where it was when it had to stop, however the arm sags.
    robot.at[:] = 0.12
    assert robot.tick(10).values == (0.13,) * 7
    assert robot.act(0.2) is None
    assert robot.tick(10).moving


def test_a_position_where_no_joint_can_be_is_not_held():
    robot = Robot()
    robot.act([0.11] * 7)
    robot.tick()
    robot.guard.stop()
    sound, robot.at = robot.at, np.array([1e308] * 7)
    assert robot.tick(follow=False).values
    robot.guard.stop()
    for at in (robot.at, robot.at, sound):
        robot.at = at
        # At first it is a leap, and then it is where no joint is.
        robot.measure()
        assert robot.tick(follow=False).values == ()
        robot.now_ms += 1100
    assert robot.tick().values == pytest.approx(tuple(sound))


@pytest.mark.parametrize('halt', ['stop', 'disable', 'tick'])
def test_a_state_that_leaps_is_never_sent_as_where_to_hold(halt):
    robot = Robot()
    robot.act(0.11)
    robot.tick()
    robot.at = np.full(7, 1.5)
    robot.measure()
    if halt != 'tick':
        getattr(robot.guard, halt)()
    command = robot.tick(1, follow=False)
    assert not command.values
    assert halt != 'tick' or command.reason == 'joints_leap'
    assert [one.reason for one in robot.guard.obstacles(robot.now_ms * MS)] == ['joints_leap']


@pytest.mark.parametrize('moving', [True, False])
def test_after_a_leap_the_arm_moves_only_once_it_is_enabled_again(moving):
    robot = Robot()
    if moving:
        robot.act(0.11)
        robot.tick()
    # As when an encoder begins anew: from then on all is told from another origin.
    robot.at = robot.at + 1.0
    robot.measure()
    robot.tick(follow=False)
    robot.now_ms += 1100
    robot.measure()
    assert robot.act(0.11).reason == 'not_enabled'
    assert not robot.guard.obstacles(robot.now_ms * MS)
    robot.guard.enable(robot.now_ms * MS)
    assert robot.act(robot.at + 0.01) is None


@pytest.mark.parametrize('halt', ['stop', 'disable'])
def test_stopping_holds_the_measured_position(halt):
    robot = Robot()
    robot.act(0.2)
    robot.tick(20)
    robot.at[:] = 0.111
    robot.measure()
    getattr(robot.guard, halt)()
    command = robot.tick(1, follow=False)
    assert command.values == (0.111,) * 7
    assert command.state is not State.ENABLED


def test_joint_states_that_stop_end_the_motion_under_their_name():
    robot = Robot()
    robot.act(0.2)
    robot.tick(20)
    robot.guard.configure(replace(CONFIG, joints=JointSettings(max_age_s=0.02)))
    command = robot.tick(30, follow=False)
    # What is known of the joints is too old to send them there.
    assert (command.values, command.reason) == ((), 'watchdog/joints_stale')
    assert robot.act(0.12).reason == 'joints_stale'
    robot.measure()
    assert robot.tick(1).values == tuple(robot.at)
    assert robot.act(0.12) is None
    assert robot.tick(1).moving


def test_an_arm_that_does_not_follow_is_held_where_it_is():
    robot = Robot(config=replace(CONFIG, joints=JointSettings(largest_step=(0.05,))))
    assert robot.act(0.14) is None
    for _ in range(6):
        assert robot.tick(10, follow=False).reason in ('moving', 'settled')
    robot.at[:] = 0.05
    command = robot.tick(1)
    assert (command.values, command.reason) == ((0.05,) * 7, 'watchdog/left_behind')


def test_without_limits_or_joint_states_nothing_can_be_enabled_or_moved():
    robot = Robot(described=False)
    ((reason, detail),) = robot.guard.obstacles(0)
    assert (reason, 'robot_description' in detail) == ('no_joint_limits', True)
    assert robot.act(0.1).reason == 'no_joint_limits'
    drive = robot.guard.drive
    assert 'no limits of joint7' in drive.describe(urdf(drive.names[:6]))
    assert 'no limits of joint7' in robot.guard.obstacles(0)[0].detail
    assert drive.describe(urdf(drive.names)) == ''
    assert robot.guard.obstacles(0) == []
    assert robot.guard.obstacles(500 * MS)[0].reason == 'joints_stale'


def test_settings_that_do_not_go_with_the_robot_stop_it_and_say_why():
    robot = Robot()
    robot.act(0.15)
    robot.tick(10)
    robot.guard.configure(replace(CONFIG, joints=JointSettings(velocity=(1.0, 1.0))))
    assert robot.tick(1).reason == 'watchdog/no_joint_limits'
    refusal = robot.act(0.15)
    assert refusal == ('no_joint_limits', 'joints.velocity has 2 numbers, expected 1 or 7')


def test_a_range_that_is_tightened_past_the_target_holds_the_arm_until_an_action_within_it():
    robot = Robot()
    robot.act(0.2)
    robot.tick(10)
    robot.guard.configure(replace(CONFIG, joints=JointSettings(upper=(0.15,))))
    command = robot.tick(1)
    assert (command.state, command.reason) == (State.ENABLED, 'watchdog/joint_position')
    assert max(command.values) < 0.15
    assert robot.act(0.2).reason == 'joint_position'
    assert robot.act(0.14) is None
    assert robot.tick(1).moving


def test_a_tool_is_no_joint():
    with pytest.raises(ValueError, match='expected joints and grippers'):
        JointDrive(END_EFFECTOR)
    with pytest.raises(ValueError, match='no joints'):
        JointDrive(ActionSpace('g', [Group(ColumnKind.GRIPPER, ('g',))]))


def test_an_action_of_other_columns_moves_nothing():
    robot = Robot()
    action = Action(np.zeros(7), 0)
    assert robot.guard.accept(action, 0, STEP_S).reason == 'action_space'


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 1e6])
def test_a_stream_gone_mad_ends_in_a_fault(bad):
    robot = Robot()
    robot.act(0.12)
    robot.guard.drive._stream.tick = lambda now_ns, period_s: ((0.1,) * 6 + (bad,), True)
    command = robot.tick(1, follow=False)
    assert (command.state, command.reason) == (State.FAULT, 'unsafe_position')
    assert command.values == (0.1,) * 7


hostile = st.one_of(
    st.floats(-0.1, 0.3),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([RANGE, -RANGE, np.nan, np.inf, 1e308]),
)
events = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 30), st.sampled_from([90, 300, -20])),
        st.one_of(
            st.just(('tick',)),
            st.tuples(st.just('near'), st.floats(-0.08, 0.08)),
            st.tuples(st.just('near'), st.floats(-0.02, 0.02)),
            st.tuples(st.just('hostile'), st.lists(hostile, min_size=8, max_size=8)),
            st.tuples(st.just('measure'), st.floats(-0.2, 0.2), st.sampled_from([0, 0, 0.3, -9])),
            st.tuples(st.just('push'), st.floats(-1, 1)),
            st.tuples(st.sampled_from(['enable', 'stop', 'disable'])),
        ),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(events)
def test_no_input_makes_the_guard_unsafe(sequence):
    robot, last, enabled = Robot(), None, True
    drive = robot.guard.drive
    for gap_ms, (name, *rest) in sequence:
        robot.now_ms += gap_ms
        now = robot.now_ms * MS
        if name == 'near':
            robot.measure()
            robot.act(robot.at + rest[0])
        elif name == 'hostile':
            robot.guard.accept(Action(rest[0], now, space=SEVEN), now, STEP_S)
        elif name == 'measure':
            drive.update_joints(['joint3'], [rest[0]], now, rest[1])
        elif name == 'push':
            robot.at = np.clip(robot.at + rest[0], -RANGE, RANGE)
            robot.measure()
        elif name == 'enable':
            robot.guard.enable(now)
            enabled, last = True, None
        elif name in ('stop', 'disable'):
            getattr(robot.guard, name)()
            enabled = False
        command = robot.guard.tick(now)
        values = np.array(command.values)
        if len(values):
            assert np.isfinite(values).all()
            assert (np.abs(values) <= RANGE + 1e-9).all()
            if command.moving:
                assert enabled
                assert command.state is State.ENABLED
                # Measured recently, and near what was measured.
                assert drive._measured.fault(now, CONFIG.joints.max_age_s) is None
                if last is not None:
                    assert np.abs(values - last[1]).max() <= SPEED * (now - last[0]) / 1e9 + 1e-6
            last = (now, values) if command.moving else None
        robot.at = np.where(np.abs(robot.at) < RANGE, robot.at, 0.0)
