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

"""arm_command as a process, with whatever may come at it; the witness judges every twist."""

from functools import partial
from itertools import cycle
import math

from arm_recorder import LIMITS, NS
from feeder import FORWARD, HUGE, NAN, PERIOD_S, STEP_S
import pytest


@pytest.fixture
def rig(arm_in_motion):
    return arm_in_motion


# Every way in which an action can be bad, by the reason that it is refused for.
BAD = [
    ('nan_or_inf', {'values': NAN}),
    ('nan_or_inf', {'values': (*FORWARD[:6], math.inf)}),
    ('translation_step', {'values': HUGE}),
    ('rotation_step', {'values': (0, 0, 0, 0, -3.0, 0, 0)}),
    ('linear_speed', {'values': (0.02, 0, 0, 0, 0, 0, 0), 'step_s': 0.02}),
    ('angular_speed', {'values': (0, 0, 0, 0.2, 0, 0, 0), 'step_s': 0.02}),
    ('linear_acceleration', {'values': (0.012, 0, 0, 0, 0, 0, 0), 'step_s': 0.02}),
    ('angular_acceleration', {'values': (0, 0, 0, 0.06, 0, 0, 0), 'step_s': 0.02}),
    ('gripper_range', {'values': (*FORWARD[:6], -7.0)}),
    ('stale', {'age_s': 1.0}),
    ('from_the_future', {'age_s': -60.0}),
    ('malformed', {'step_s': 0.0}),
    ('malformed', {'step_s': 900.0}),
    ('wrong_frame', {'frame': 'camera_link'}),
]
MALFORMED = [
    lambda message: setattr(message, 'points', []),
    lambda message: setattr(message, 'points', [*message.points] * 2),
    lambda message: setattr(message, 'joint_names', ['elbow']),
    lambda message: setattr(message.points[0], 'positions', [0.0] * 6),
    lambda message: setattr(message.points[0].time_from_start, 'sec', -3),
    lambda message: setattr(message.header.stamp, 'nanosec', 2**32 - 1),
]


def spoilt(rig, spoil):
    message = rig.feeder.action()
    spoil(message)
    return message


def test_bad_actions_amid_good_ones_are_refused_by_name_and_the_motion_goes_on(rig):
    rig.feeder.between = cycle(
        [
            *(partial(rig.feeder.action, **bad) for _, bad in BAD),
            *(partial(spoilt, rig, spoil) for spoil in MALFORMED),
        ]
    )
    for reason, _ in BAD:
        rig.tells('arm_command', reason)
    # Some of them have the reason in common.
    kinds = len(BAD) + len(MALFORMED)
    rig.until(lambda: rig.feeder.sent_between > kinds, 'all were sent')
    rig.moves()


@pytest.mark.parametrize(
    ('reason', 'values', 'age_s'),
    [('nan_or_inf', NAN, 0.0), ('translation_step', HUGE, 0.0), ('stale', FORWARD, 1.0)],
)
def test_nothing_but_bad_actions_is_zero_in_time_for_that_reason_until_good_ones_come(
    rig, reason, values, age_s
):
    rig.feeder.values, rig.feeder.age_s = values, age_s
    rig.rests(rig.feeder.horizon_ns)
    rig.tells('arm_command', 'watchdog', reason)
    rig.feeder.reset()
    rig.moves()
    rig.quiet('arm_command', 'watchdog')


def test_silence_is_zero_in_time_and_the_next_action_moves_the_arm_again(rig):
    rig.rests(rig.feeder.cease())
    rig.tells('arm_command', 'watchdog', 'no_action')
    rig.feeder.reset()
    rig.moves()


def test_the_same_action_over_and_over_is_zero_in_time(rig):
    horizon_ns = rig.feeder.cease()
    message = rig.feeder.action()
    rig.feeder.send(message)
    horizon_ns = rig.now_ns() + round(STEP_S * NS)
    repeat = rig.peer.create_timer(0.02, partial(rig.feeder.send, message))
    rig.rests(horizon_ns)
    repeat.cancel()
    rig.tells('arm_command', 'out_of_order')


@pytest.mark.parametrize(
    ('reason', 'position', 'known_s'),
    [
        ('workspace', (0.5, 0.0, 0.0), PERIOD_S),
        ('no_pose', None, LIMITS.max_pose_age_s),
        ('no_pose', (math.nan, 0.0, 0.3), LIMITS.max_pose_age_s),
    ],
)
def test_at_the_wall_or_without_a_pose_the_arm_is_held_until_there_is_room_again(
    rig, reason, position, known_s
):
    rig.feeder.position = position
    rig.rests(rig.now_ns() + round((known_s + PERIOD_S + STEP_S) * NS))
    rig.tells('arm_command', reason)
    rig.feeder.reset()
    rig.moves()


def test_a_flood_of_valid_actions_is_held_to_the_limit_per_second(rig):
    rig.feeder.cease()
    flood = rig.peer.create_timer(
        0.005, lambda: rig.feeder.send(rig.feeder.action((0.03, 0, 0, 0, 0, 0, 0), step_s=0.05))
    )
    rig.tells('arm_command', 'translation_per_second')
    flood.cancel()
    rig.rests(rig.now_ns() + round(0.05 * NS))
