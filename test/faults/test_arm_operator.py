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

"""Stop, enable, parameters and transitions in the middle of a motion, at a real process."""

from arm_recorder import NS
from feeder import HUGE
from geometry_msgs.msg import TwistStamped
import pytest
import rclpy
from std_msgs.msg import Float64, String
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.ros import qos

# What a stranger publishes. One is of another type than the topic's: it counts as well.
STRANGE = (
    (String, 'vla/action'),
    (TwistStamped, 'servo_node/delta_twist_cmds'),
    (Float64, 'gripper_command'),
)


@pytest.fixture
def rig(arm_in_motion):
    return arm_in_motion


def goes_on_refusing(rig):
    """See the arm at rest while actions flow, and the next enable move it."""
    assert rig.feeder.flowing
    rig.rests()
    rig.counts('arm_command', 'not_enabled')
    assert rig.recorder.last_motion_ns < rig.now_ns() - NS // 4
    assert rig.enable().success
    rig.moves()


def test_stop_in_mid_motion_holds_until_enabled_however_many_actions_come(rig):
    rig.stop()
    rig.tells('arm_command', 'stopped', 'stop_requested')
    goes_on_refusing(rig)
    rig.quiet('arm_command', 'stopped')


def test_disabling_in_mid_motion_holds_until_enabled_however_many_actions_come(rig):
    assert rig.ask_to_enable(False).success
    goes_on_refusing(rig)


def test_enabling_again_and_again_in_mid_motion_keeps_to_the_limits(rig):
    for _ in range(5):
        assert rig.enable().success
        rig.moves()


def test_stop_and_enable_in_quick_turn_never_move_a_stopped_arm(rig):
    for _ in range(10):
        rig.stop()
        assert rig.enable().success
    rig.moves()


def test_deactivating_in_mid_motion_is_zero_and_activating_does_not_enable(rig):
    assert rig.change('arm_command', 'deactivate')
    rig.rests()
    refused = rig.ask_to_enable()
    assert not refused.success
    assert 'inactive' in refused.message
    assert rig.change('arm_command', 'activate')
    goes_on_refusing(rig)


def test_whoever_sends_actions_beside_the_scheduler_moves_nothing_and_the_arm_is_held(rig):
    sideways = (0.0, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0)
    # Newer than any true one: the guard's own limits would let them through.
    actions = (rig.feeder.action(sideways) for _ in iter(int, 1))
    with rig.publishing(JointTrajectory, 'vla/action', qos.CONTROL, actions):
        rig.tells('arm_command', 'several_publishers', '2 publish /vla/action (/peer, /peer)')
        rig.rests()
        assert 'several_publishers' in rig.ask_to_enable().message
    assert all(abs(t.values[1]) < 0.05 for t in rig.recorder.twists)
    rig.quiet('arm_command', '2 publish')
    goes_on_refusing(rig)


def test_a_silent_stranger_at_the_arm_holds_it_until_he_is_gone_and_it_is_enabled(rig):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=rig.domain)
    stranger = rclpy.create_node('stranger', context=context)
    try:
        for kind, topic in STRANGE:
            stranger.create_publisher(kind, topic, qos.CONTROL)
        for _, topic in STRANGE:
            rig.tells('arm_command', 'several_publishers', f'2 publish /{topic}')
        rig.rests()
        rig.tells('arm_command', 'stopped', 'several_publishers')
    finally:
        stranger.destroy_node()
        rclpy.try_shutdown(context=context)
    rig.quiet('arm_command', '2 publish')
    goes_on_refusing(rig)


@pytest.mark.parametrize('transition', ['configure', 'activate', 'cleanup', 99])
def test_an_impossible_transition_is_refused_by_name_and_the_motion_goes_on(rig, transition):
    assert not rig.change('arm_command', transition)
    assert rig.lifecycle('arm_command') == 'active'
    rig.moves()
    rig.tells('arm_command', 'invalid_transition')


@pytest.mark.parametrize(
    ('bad', 'said'),
    [
        ({'watchdog_grace': 5.0}, ('watchdog_grace', '5.0')),
        ({'limits.linear_speed': float('nan')}, ('limits.linear_speed', 'nan')),
        ({'limits.translation_step': -1.0}, ('limits.translation_step', '-1.0')),
        ({'min_rate': 1.0}, ('min_rate', '1.0')),
        ({'min_rate': 90.0, 'max_rate': 30.0}, ('90', '30')),
        ({'workspace.min': [0.9, 0.9, 0.9]}, ('workspace', '0.9')),
        ({'workspace.min': [0.0]}, ('workspace.min', '[0.0]')),
        ({'workspace.enabled': 'no'}, ('BOOL', 'STRING')),
        ({'frame_id': 'elsewhere'}, ('frame_id', 'clean the node up')),
    ],
)
def test_an_invalid_parameter_is_refused_with_its_value_and_the_motion_goes_on(rig, bad, said):
    result = rig.set('arm_command', **bad)
    assert not result.successful
    assert all(part in result.reason for part in said), result.reason
    rig.moves()


def test_a_limit_that_is_lowered_in_mid_motion_holds_at_once(rig):
    assert rig.set('arm_command', **{'limits.translation_step': 0.0005}).successful
    rig.rests(rig.feeder.horizon_ns)
    rig.tells('arm_command', 'translation_step', 'at most 0.0005')
    assert rig.set('arm_command', **{'limits.translation_step': 0.05}).successful
    rig.moves()
    rig.feeder.values = HUGE
    rig.rests(rig.feeder.horizon_ns)
