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

"""The conventions that a robot and a checkpoint can differ in, each set and named."""

from pathlib import Path

from deploy_facts import RIGHT, changed, finding, view
import pytest

from vla_accel_ros.deploy.compare import CHECKS, MOMENTARY, NAMES, compare
from vla_accel_ros.deploy.finding import Level, errors
from vla_accel_ros.deploy.robot import Facts, Stream

OFF = (0.1, -0.2, 0.0)


def test_a_right_robot_has_nothing_but_good_findings_and_each_check_finds_one():
    found = compare(RIGHT)
    assert [each.name for each in found] == list(NAMES)
    assert {each.level for each in found} == {Level.OK}, [e for e in found if e.level != 'ok']
    assert len(CHECKS) == len(set(NAMES)) and set(MOMENTARY) <= set(NAMES)


def test_nothing_is_found_where_nothing_is_known():
    assert compare(Facts()) == []


@pytest.mark.parametrize('part', ['arm', 'camera', 'model', 'scheduler', 'state', 'wants'])
def test_a_part_that_is_not_known_is_no_error(part):
    assert errors(compare(changed(**{part: None}))) == []


# Each is a convention by which deployments fail without a word.
ERRORS = [
    # Joint positions to an arm that takes displacements of the tool, and the other way round.
    ('action_kind', {'wants__actions': {'kinds': ('joint_position',) * 7}}, '7 joint_position'),
    ('action_kind', {'wants__actions': {'kinds': (), 'names': ('a',) * 14}}, '14 columns'),
    # Joints in another order, or the arms swapped.
    (
        'action_kind',
        {'wants__actions': {'names': ('y', 'x', 'z', 'roll', 'pitch', 'yaw', 'gripper')}},
        'answers y x z',
    ),
    # A controller's units, such as -1..1 of LIBERO; degrees; mm.
    ('action_units', {'wants__actions': {'step_m': 1.5}}, '30 m/s'),
    ('action_units', {'wants__actions': {'step_rad': 5.7}}, '114 rad/s'),
    ('action_units', {'wants__actions': {'position_rad': 90.0}}, '90 rad'),
    ('action_units', {'wants__actions': {'step_m': 0.0, 'step_rad': 1e-9}}, 'no action would'),
    # The rate is not in the weights: 5 Hz driven at 20 Hz.
    ('policy_step', {'wants__actions': {'step_s': 0.2}}, '0.2 s (5 Hz)'),
    ('policy_step', {'model': {'policy_step': 0.1}}, 'of inference is 0.1 s'),
    ('policy_step', {'arm': {'max_step': 0.04}}, 'steps of 0.01 to 0.04 s'),
    # Displacements in the camera's or tool's frame.
    ('frame', {'wants__actions': {'frame': 'tool0'}}, "in 'tool0'"),
    ('frame', {'arm': {'frame_id': 'world'}}, "of arm_command is 'world'"),
    # Grippers of 0..255, of a width in m.
    ('gripper_range', {'wants__actions': {'gripper_high': 255.0}}, '0 to 255'),
    ('gripper_range', {'wants__actions': {'gripper_high': 0.08}}, '0 to 0.08'),
    ('camera_count', {'wants__views': {'count': 3, 'names': ()}}, 'wants 3 views'),
    ('camera_order', {'wants__views': {'names': ('wrist', 'agent')}}, 'wants wrist, agent'),
    ('camera_size', {'camera': {'image_size': 96}}, 'image_size is 96'),
    ('camera_size', {'camera': {'image_size': 0}}, 'sends 640x480'),
    ('camera_resize', {'camera': {'resize': 'letterbox'}}, 'resize is letterbox'),
    # A crop of the camera node before the checkpoint's own.
    (
        'centre_crop',
        {'wants__views': {'centre_crop': 0.9}, 'camera': {'centre_crop': 0.9}},
        'crops to 0.9',
    ),
    ('camera_encoding', {'camera': view(encoding='16UC1', refused='depth')}, '16UC1'),
    ('camera_missing', {'camera': view(encoding='', stream=Stream())}, 'agent/image_raw'),
    ('camera_stamp', {'camera': view(stream=Stream(20.0, 0.9))}, '0.9 s old'),
    ('camera_stamp', {'camera': view(stream=Stream(20.0, -0.5))}, '0.5 s ahead'),
    ('camera_stamp', {'camera': view(1, stream=Stream(None, None, 5))}, 'no stamps'),
    ('camera_skew', {'camera': {'skew_s': 0.08}}, '80 ms apart'),
    ('state_missing', {'state': {'values': (), 'names': (), 'stream': Stream()}}, 'nothing came'),
    ('state_missing', {'state': {'names': ('j1', 'j2')}}, 'no gripper, but j1, j2'),
    ('state_width', {'wants__state': {'width': 8}}, 'wants 8 numbers, proprio_names has 3'),
    (
        'state_order',
        {'state': {'chosen': ('j2', 'j1', 'gripper')}},
        'wants j1, j2, gripper; proprio_names is j2, j1, gripper',
    ),
    ('state_order', {'state': {'chosen': (), 'names': ('gripper', 'j1', 'j2')}}, 'proprio has'),
    ('state_stamp', {'state': {'stream': Stream(20.0, 1.0)}}, '1 s old'),
    ('state_stamp', {'state': {'stream': Stream(2.0, 0.01)}}, 'at 2 Hz'),
    ('state_stamp', {'state': {'stream': Stream(None, None, 3)}}, 'no stamps'),
    # An arm that starts elsewhere.
    ('start_pose', {'state': {'values': (2.9, -0.2, 0.0)}}, 'j1 is 2.9'),
    # A quaternion whose w is below 0, so that its rotation vector is the other way round.
    (
        'start_pose',
        {
            'wants__state': {'low': (3.0, -1, 0), 'high': (3.2, 1, 1), 'mean': (), 'std': ()},
            'state': {'values': (-3.1, 0.0, 0.0)},
        },
        'in training 3 to 3.2',
    ),
    # A state from the wrong source: joints of the hand, in their number, in place of the arm's.
    (
        'start_pose',
        {
            'wants__state': {'low': (-0.1, -2.2, 0), 'high': (0.1, -2, 1), 'mean': (), 'std': ()},
            'state': {'values': (0.04, 0.04, 0.04)},
        },
        'j2 is 0.04, in training -2.2 to -2',
    ),
    # Bins at the end of the padded table: every bin is shifted by 64.
    ('vocabulary', {'wants': {'vocabulary': 32064}}, '31808 to 32063'),
    ('prompt', {'model': {'prompt_refused': "no word 'mug'"}}, 'mug'),
    ('latency', {'model': {'call_ms': 1900.0}}, 'max_staleness is 1 s'),
]
WARNINGS = [
    ('statistics', {'wants__actions': {'extremes': True}}, 'smallest and largest'),
    ('action_limits', {'arm': {'linear_speed': 0.1}}, 'limits.linear_speed 0.1 m/s'),
    (
        'action_limits',
        {
            'wants__actions': {'kinds': ('joint_displacement',) * 7},
            'arm': {'kinds': ('joint_displacement',) * 7, 'angular_speed': 1.0},
        },
        'the velocity of a joint 1 rad/s',
    ),
    ('gripper_range', {'wants__actions': {'gripper_low': -1.0}}, '-1 to 1'),
    # 1 is open for the checkpoint and closed for the robot, or it was turned round twice.
    ('gripper_sign', {'arm': {'closing': 1.0}}, '100%'),
    ('gripper_sign', {'arm': {'closing': 0.0}, 'wants__actions': {'closed': 0.95}}, '0%'),
    ('arm_listener', {'arm': {'listeners': 0}}, 'nobody listens'),
    ('centre_crop', {'camera': {'centre_crop': 0.9}}, 'centre_crop of camera is 0.9'),
    # 10 Hz of the camera at 20 Hz of the policy.
    ('camera_rate', {'camera': view(stream=Stream(10.0, 0.03))}, 'agent/image_raw 10 Hz'),
    # New stamps on an old picture.
    ('camera_frozen', {'camera': view(same=40)}, 'the same picture 41 times'),
    ('state_order', {'state': {'chosen': (), 'names': ('a', 'b', 'c')}}, 'order of the driver'),
    (
        'state_order',
        {'state': {'chosen': ('j1', 'j2', 'c'), 'names': ('j1', 'j2', 'c')}},
        'wants j1, j2, gripper; proprio_names is j1, j2, c',
    ),
    ('start_pose', {'state': {'values': (1.6, -0.2, 0.0)}}, '4.0 sigmas'),
    ('prompt', {'scheduler': {'instruction': ' '}}, 'no instruction'),
    ('latency', {'model': {'call_ms': 500.0}}, 'takes 500 ms'),
]


def test_the_page_explains_every_finding():
    page = (Path(__file__).parents[2] / 'docs' / 'deploy.md').read_text()
    page = page[page.index('## The findings') :]
    told = [line.split('`')[1] for line in page.splitlines() if line.startswith('| `')]
    assert [name for name in told if name in NAMES] == list(NAMES)


def identity(case):
    return case if isinstance(case, str) else ''


@pytest.mark.parametrize(('name', 'change', 'said'), ERRORS, ids=identity)
def test_a_trap_is_named_and_both_values_are_said(name, change, said):
    found = finding(name, changed(**change))
    assert found is not None and found.level is Level.ERROR
    assert said in found.text and found.remedy
    assert '\n' not in found.line


@pytest.mark.parametrize(('name', 'change', 'said'), WARNINGS, ids=identity)
def test_what_may_be_right_is_a_warning(name, change, said):
    facts = changed(**change)
    found = finding(name, facts)
    assert found is not None and found.level is Level.WARNING
    assert said in found.text and found.remedy
    assert errors(compare(facts)) == []


@pytest.mark.parametrize(('name', 'change', 'said'), ERRORS, ids=identity)
def test_a_trap_alone_gives_no_other_error(name, change, said):
    names = {each.name for each in errors(compare(changed(**change)))}
    # A camera or a state that is not there is also not what was asked for.
    assert name in names and len(names) <= 2


def test_every_check_that_can_find_an_error_is_tried():
    tried = {name for name, _, _ in (*ERRORS, *WARNINGS)}
    assert set(NAMES) - tried == {'unnorm_key'}


@pytest.mark.parametrize(
    ('factor', 'said'), [(57.3, 'degrees'), (1000.0, 'mm'), (-8.0, 'start of the training')]
)
def test_a_start_far_off_says_which_units_would_fit(factor, said):
    values = tuple(0.9 * factor if abs(v) > 0.15 else v for v in OFF)
    found = finding('start_pose', changed(state={'values': values}))
    assert found.level is Level.ERROR and said in found.remedy


def test_sigmas_come_from_percentiles_where_there_is_no_deviation():
    facts = changed(wants__state={'mean': (), 'std': ()}, state={'values': (2.0, 0.0, 0.0)})
    # 2 from the middle of -1..1, of which a 4.653rd is a sigma.
    assert '(4.7 sigmas)' in finding('start_pose', facts).text


def test_a_number_that_stood_still_in_training_is_no_yardstick():
    still = {'low': (0.0,) * 3, 'high': (0.0,) * 3, 'mean': (0.0,) * 3, 'std': (0.0,) * 3}
    facts = changed(wants__state=still, state={'values': (0.02, 0.0, 0.0)})
    assert finding('start_pose', facts).level is Level.OK


def test_square_pictures_are_the_same_however_they_become_square():
    square = {'views': tuple(view(i, width=480)['views'][i] for i in (0, 1))}
    facts = changed(camera={**square, 'resize': 'letterbox'})
    assert finding('camera_resize', facts).level is Level.OK


def test_topics_without_the_views_names_are_left_to_the_reader():
    views = tuple(view(i, topic=f'cam{i}')['views'][i] for i in (0, 1))
    found = finding('camera_order', changed(camera={'views': views}))
    assert found.level is Level.OK and 'look yourself' in found.text


def test_bins_behind_the_tokenisers_words_are_right():
    facts = changed(wants={'vocabulary': 284, 'tokens': 28})
    assert finding('vocabulary', facts).level is Level.OK


def test_a_step_that_differs_by_rounding_is_the_same():
    facts = changed(wants__actions={'step_s': 1 / 20.2})
    assert finding('policy_step', facts).level is Level.OK
