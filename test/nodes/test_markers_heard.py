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

"""What the markers are made of: the newest values count, for a while; bad ones never."""

from dataclasses import replace
from math import inf, nan

from deploy_facts import RIGHT
from joint_robots import SEVEN, joints_of
import pytest

from vla_accel_ros.deploy.robot import JointRange, Workspace
from vla_accel_ros.nodes.markers_heard import ACTION_S, ARM_S, DECISION_S, JOINT_S, POSE_S, Heard
from vla_accel_ros.nodes.markers_shapes import DELIBERATIVE, HELD, INTUITIVE, QUEUED
from vla_accel_ros.ros.messages import ChunkStats, decision_to_message, message_to_decision
from vla_accel_ros.scheduling.decision import Decision, Kind

BOX = Workspace((0.2, -0.4, 0.0), (0.8, 0.4, 0.5))
TOOL = replace(RIGHT.arm, workspace=BOX)
JOINTS = replace(
    RIGHT.arm,
    kinds=tuple(kind.value for kind in SEVEN.kinds),
    names=SEVEN.names,
    joints=tuple(JointRange(name, 'rad', -2.0, 1.5) for name in joints_of(SEVEN)),
)
MAY_MOVE = {'arm': 'enabled: enabled'}
AT_THE_BOX = {
    **MAY_MOVE,
    'standing': 'does_not_fit: late; watchdog: workspace',
    'last_refusal': 'workspace: x would be 0.81 m, expected 0.2 to 0.8',
}


def decision(kind=Kind.QUEUED, source='vla', **values):
    stats = ChunkStats(0.5, 0.083, 7, 0)
    said = message_to_decision(
        decision_to_message(Decision(kind, 'why', 0, speed=0.12, latency_s=0.1), 'n', stats)
    )
    return {**said, 'source': source, **values}


def heard(facts=TOOL, report=MAY_MOVE):
    """Return one that was told all, at 0 s."""
    made = Heard('/left/arm_command', 'base_link')
    made.arm(facts, 0.0)
    made.report('/left/arm_command', report, 0.0)
    made.decision(decision(), 0.0)
    made.pose('base_link', (0.5, 0.0, 0.2), 0.0)
    made.velocity((0.01, 0.0, 0.0), 0.05, 0.0)
    made.joints(joints_of(SEVEN), [0.0, 0.1, 1.2, -0.3, 0.0, 0.0, 0.0], 0.0)
    return made


def text(made, now=0.0):
    return '\n'.join(made.scene(now).lines)


def test_the_text_has_decision_speed_latencies_and_whether_the_arm_may_move():
    report = {**MAY_MOVE, 'capture_to_command_p50_ms': '61.4', 'capture_to_command_p95_ms': '90'}
    assert heard(report=report).scene(0.0).lines == (
        'queued: why',
        'speed 0.120 of 0.75 m/s, 0.000 of 3.5 rad/s',
        'model 83 ms, answer 100 ms',
        'capture to command 61 ms, p95 90 ms',
        'arm may move',
    )


def test_a_latency_stays_until_the_next_answer():
    made = heard()
    made.decision(decision(Kind.INTUITIVE, 'hold', model_ms='', latency_ms=''), 0.5)
    assert 'intuitive: why' in text(made, 0.5) and 'model 83 ms' in text(made, 0.5)


@pytest.mark.parametrize(
    ('kind', 'shown'),
    [
        (Kind.DELIBERATIVE, DELIBERATIVE),
        (Kind.VERIFIED, DELIBERATIVE),
        (Kind.INTUITIVE, INTUITIVE),
        (Kind.BRIDGED, INTUITIVE),
        (Kind.QUEUED, QUEUED),
    ],
)
def test_the_arrow_is_of_who_sent_the_last_action(kind, shown):
    made = heard()
    made.decision(decision(kind), 0.1)
    # The VLA is asked, and no action is sent: who sent the last one stays.
    made.decision(decision(Kind.DISCARDED, source=''), 0.2)
    assert made.scene(0.2).kind == shown
    assert made.scene(0.2).velocity == pytest.approx((0.2, 0.0, 0.0))


@pytest.mark.parametrize(
    ('report', 'said'),
    [
        ({'arm': 'disabled: not_enabled'}, 'arm held: disabled: not_enabled'),
        ({'arm': 'stopped: stop_requested'}, 'arm held: stopped: stop_requested'),
        ({**MAY_MOVE, 'standing': 'watchdog: no_action'}, 'arm held: no_action'),
        ({}, 'arm held: arm_command is not active'),
    ],
)
def test_a_held_arm_says_why_and_its_arrow_has_that_colour(report, said):
    scene = heard(report=report).scene(0.0)
    assert scene.kind == HELD and scene.lines[-1] == said
    assert not scene.at_workspace


def test_the_box_is_told_to_hold_only_while_it_does():
    scene = heard(report=AT_THE_BOX).scene(0.0)
    assert scene.at_workspace and scene.workspace == (BOX.low, BOX.high)
    assert scene.lines[-1] == 'arm held: workspace: x would be 0.81 m, expected 0.2 to 0.8'
    made = heard(report=AT_THE_BOX)
    made.report('/left/arm_command', MAY_MOVE, 0.1)
    assert not made.scene(0.1).at_workspace


def test_there_is_no_box_where_none_is_set_or_none_that_can_be():
    assert heard(RIGHT.arm).scene(0.0).workspace is None
    far = replace(RIGHT.arm, workspace=Workspace((-1e300, 0.0, 0.0), (1.0, 1.0, 1.0)))
    assert heard(far).scene(0.0).workspace is None


def test_reports_of_another_arm_do_not_count():
    made = heard()
    for other in ('/arm_command', '/right/arm_command', '/left/scheduler'):
        made.report(other, AT_THE_BOX, 0.1)
    assert not made.scene(0.1).at_workspace and text(made, 0.1).endswith('arm may move')


def test_of_an_arm_of_joints_the_nearest_limit_is_named_with_what_is_left():
    made = heard(JOINTS)
    assert 'nearest limit: joint3, 0.300 rad left' in text(made)
    # It takes no displacement of a tool, so none is shown, nor a speed in m/s.
    assert made.scene(0.0).velocity is None and 'm/s' not in text(made)
    made.joints(['joint5', 'finger'], [-2.05, nan], 0.1)
    assert 'nearest limit: joint5, -0.050 rad left' in text(made, 0.1)
    assert 'nearest limit' not in text(heard(TOOL))


def test_each_value_counts_for_its_time_only():
    made = heard(JOINTS)
    assert 'nearest limit' not in text(made, JOINT_S + 0.1)
    made = heard()
    assert made.scene(POSE_S + 0.1).tool is None
    assert made.scene(ACTION_S + 0.1).velocity is None
    assert 'queued' in text(made, DECISION_S)
    assert 'no decision' in text(made, DECISION_S + 0.1)
    late = made.scene(ARM_S + 0.1)
    assert late.workspace is None
    assert late.kind == HELD and late.lines[-1] == 'arm held: arm_command is silent'


@pytest.mark.parametrize('bad', [nan, inf, -inf, 1e308])
def test_what_can_be_no_value_is_refused_and_the_one_before_stays(bad):
    made = heard(JOINTS)
    for tell in (
        lambda: made.pose('base_link', (0.5, bad, 0.2), 0.1),
        lambda: made.velocity((bad, 0.0, 0.0), 0.05, 0.1),
        lambda: made.pose('world', (0.5, 0.0, 0.2), 0.1),
        lambda: made.joints(['joint3'], [], 0.1),
        lambda: made.joints(['joint3'], [0.0, 0.0], 0.1),
    ):
        before = made.scene(0.1)
        try:
            tell()
        except ValueError as error:
            assert 'expected' in str(error) or 'positions' in str(error)
        assert made.scene(0.1) == before
    if abs(bad) > 1e308 or bad != bad:
        with pytest.raises(ValueError, match='joint3 is'):
            made.joints(['joint3'], [bad], 0.1)


@pytest.mark.parametrize('figure', ['', 'fast', 'nan', 'inf', '1e999'])
def test_a_figure_that_is_no_number_is_left_out(figure):
    made = Heard('/arm_command', 'base_link')
    made.decision(
        decision(speed_m_s=figure, angular_speed_rad_s=figure, model_ms=figure, latency_ms=figure),
        0.0,
    )
    made.report('/arm_command', {**MAY_MOVE, 'capture_to_command_p50_ms': figure}, 0.0)
    assert made.scene(0.0).lines == ('queued: why', 'arm may move')


def test_a_text_of_any_length_and_any_signs_becomes_a_short_line():
    made = heard()
    made.decision({**decision(), 'kind': 'a\nb\x00' * 500, 'reason': '\u202e' * 500}, 0.1)
    assert all(len(line) < 200 and line.isprintable() for line in made.scene(0.1).lines)


def test_before_the_arm_says_its_frame_no_pose_counts():
    made = Heard('/arm_command', 'base_link')
    made.pose('anywhere', (0.5, 0.0, 0.2), 0.0)
    assert made.scene(0.0).tool is None
    made.arm(replace(TOOL, frame_id='panda_link0'), 0.1)
    made.pose('panda_link0', (0.5, 0.0, 0.2), 0.1)
    scene = made.scene(0.1)
    assert scene.frame_id == 'panda_link0' and scene.tool == (0.5, 0.0, 0.2)
