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

"""One bad message never ends a replay: it is left out, counted, and told by name."""

from copy import deepcopy

import bags
import numpy as np
import pytest

from vla_accel_ros.replay.bag.raw import BagError
from vla_accel_ros.replay.bag.reader import Bag
from vla_accel_ros.replay.evidence import Evidence
from vla_accel_ros.replay.stream import Fitting, Stream
from vla_accel_ros.replay.topics import Wishes, assign

START, STEP, NAN = bags.START, bags.STEP, float('nan')
CAMERAS = [bags.image('/image_raw', START + k * STEP, bags.picture(k)) for k in range(6)]
TOLD = bags.string('/vla/instruction', START - 1, 'pour')


def stream(tmp_path, lines, wishes=None, proprio=0, storage=bags.write_mcap, **options):
    lines = sorted(deepcopy([*CAMERAS, TOLD, *lines]), key=lambda line: line.stamp_ns)
    bag = Bag(storage(tmp_path / 'bag.mcap', lines))
    evidence = Evidence(
        bag, options.get('gripper_joints', ()), options.get('proprio_names', ()), proprio
    )
    roles = assign(bag.topics, wishes or Wishes(), 1, bool(proprio), evidence.objection)
    return Stream(bag, roles, Fitting(0), **options)


def counts(made):
    moments = list(made)
    samples = [sample for moment in moments for sample in moment.samples]
    frames = [m.observation for m in moments if m.observation is not None]
    return frames, samples, dict(made.faults.counts)


def twists(**bad):
    lines = [bags.twist('/twist', START + k * STEP, [0.1, 0, 0, 0, 0, 0]) for k in range(6)]
    for where, value in bad.items():
        part, axis = where.split('_')
        setattr(getattr(lines[3].message.twist, part), axis, value)
    return lines


@pytest.mark.parametrize('value', [1e200, -1.7e308, NAN, float('inf'), -float('inf')])
@pytest.mark.parametrize('where', ['linear_x', 'angular_z'])
def test_a_twist_that_cannot_be_is_not_finite(tmp_path, where, value):
    frames, samples, faults = counts(stream(tmp_path, twists(**{where: value})))
    assert (len(frames), len(samples), faults) == (6, 5, {'not_finite': 1})


@pytest.mark.parametrize('value', [-0.0, 1e-320, 3.0])
def test_a_twist_that_is_odd_is_a_twist(tmp_path, value):
    assert counts(stream(tmp_path, twists(linear_y=value)))[2] == {}


@pytest.mark.parametrize(
    ('position', 'turn', 'fault'),
    [
        ((NAN, 0, 0), (0, 0, 0, 1), 'not_finite'),
        ((0, 1e200, 0), (0, 0, 0, 1), 'not_finite'),
        ((0, 0, 0), (NAN, 0, 0, 1), 'not_finite'),
        ((0, 0, 0), (1e200, 0, 0, 1), 'not_finite'),
        ((0, 0, 0), (0, 0, 0, 0), 'unreadable'),
    ],
)
def test_a_pose_that_cannot_be_is_counted(tmp_path, position, turn, fault):
    lines = [bags.pose('/ee_pose', START + k * STEP, (0, 0, 0)) for k in range(6)]
    lines[3] = bags.pose('/ee_pose', START + 3 * STEP, position, turn)
    frames, samples, faults = counts(stream(tmp_path, lines))
    assert (len(frames), len(samples), faults) == (6, 5, {fault: 1})


def durations(sec, nanosec):
    return bags.make('builtin_interfaces/msg/Duration', sec=sec, nanosec=nanosec)


@pytest.mark.parametrize(
    ('change', 'fault'),
    [
        (lambda m: m.points.clear(), 'unreadable'),
        (lambda m: setattr(m, 'joint_names', []), 'unreadable'),
        (lambda m: setattr(m.points[0], 'positions', np.zeros(6)), 'unreadable'),
        (lambda m: setattr(m.points[0], 'positions', np.full(7, NAN)), 'not_finite'),
        (lambda m: setattr(m.points[0], 'positions', np.array([0] * 6 + [1e12])), 'not_finite'),
        (lambda m: setattr(m.points[0], 'time_from_start', durations(0, 0)), 'unreadable'),
        (lambda m: setattr(m.points[0], 'time_from_start', durations(0, 1)), 'unreadable'),
        (lambda m: setattr(m.points[0], 'time_from_start', durations(-5, 0)), 'unreadable'),
        (lambda m: setattr(m.points[0], 'time_from_start', durations(2**31 - 1, 0)), 'unreadable'),
    ],
)
def test_an_action_that_cannot_be_is_counted(tmp_path, change, fault):
    lines = [bags.trajectory('/vla/action', START + k * STEP, [0.0] * 7) for k in range(6)]
    change(lines[3].message)
    frames, samples, faults = counts(stream(tmp_path, lines))
    assert (len(frames), len(samples), faults) == (6, 5, {fault: 1})


def grippers(*values):
    return [bags.number('/gripper', START + k * STEP, v) for k, v in enumerate(values)]


def test_a_gripper_that_is_no_number_is_counted(tmp_path):
    lines = twists() + grippers(0, 1, NAN, 1e300, float('inf'), 0)
    frames, samples, faults = counts(stream(tmp_path, lines))
    assert (len(frames), len(samples), faults) == (6, 9, {'not_finite': 3})


@pytest.mark.parametrize(
    'other',
    [
        bags.number('/vla/instruction', START + 1, 1.0),
        bags.pose('/twist', START + 1, (0, 0, 0)),
        bags.string('/gripper', START + 1, 'open'),
        bags.compressed('/image_raw', START + 1, bags.picture(1)),
    ],
    ids=lambda line: line.topic,
)
def test_a_message_of_another_type_than_the_topics_is_unreadable(tmp_path, other):
    lines = [*twists(), *grippers(0, 0, 0, 1, 1, 1), other]
    made = stream(tmp_path, lines)
    frames, samples, faults = counts(made)
    assert (len(frames), len(samples), faults) == (6, 12, {'unreadable': 1})
    assert f'{other.topic}: a message is of type {other.kind}' in made.faults.first['unreadable']


def test_an_instruction_that_is_too_long_is_left_out_and_the_one_before_stays(tmp_path):
    long = bags.string('/vla/instruction', START + STEP + 1, 'pour ' * 8000)
    frames, _, faults = counts(stream(tmp_path, [long]))
    assert {frame.instruction for frame in frames} == {'pour'}
    assert faults == {'unreadable': 1}


@pytest.mark.parametrize(('stamp', 'lost'), [(-5, 1), (2**31 - 1, 1)])
def test_a_stamp_that_cannot_be_is_said(tmp_path, stamp, lost):
    lines = twists()
    lines[3].message.header.stamp.sec = stamp
    frames, _, faults = counts(stream(tmp_path, lines))
    assert (len(frames), faults) == (6, {'clock_jumped': lost})


def test_what_is_said_of_a_fault_is_a_line(tmp_path):
    bad = bags.image('/image_raw', START + 6 * STEP, bags.picture(0), 'x' * 100_000)
    made = stream(tmp_path, [bad])
    assert counts(made)[2] == {'bad_frame': 1}
    assert len(made.faults.first['bad_frame']) < 600


def test_frame_ids_that_are_no_utf_8_lose_no_frame(tmp_path):
    def latin(file, lines):
        for line in lines:
            if line.kind == bags.IMAGE:
                line.message.header.frame_id = 'Kaefer'
        written = bags.write_mcap(file, lines, use_chunking=False)
        data = written.read_bytes().replace(b'Kaefer', b'K\xe4\xe4\xe4er')
        written.write_bytes(data)
        return written

    frames, _, faults = counts(stream(tmp_path, [], storage=latin))
    assert (len(frames), faults) == (6, {})


# -- joint states ---------------------------------------------------------------------------------

NAMES = [f'j{k}' for k in range(4)]


def fits(values):
    if values.shape != (4,) or not np.isfinite(values).all():
        raise ValueError(f'expected 4 numbers, got {values.tolist()}')


def states(bad, topic='/joint_states'):
    lines = [
        bags.joints(topic, START + k * STEP - 1, **dict.fromkeys(NAMES, 0.1 * k)) for k in range(6)
    ]
    bad(lines[2].message)
    return lines


@pytest.mark.parametrize('names', [(), NAMES])
@pytest.mark.parametrize(
    'bad',
    [
        lambda m: m.position.__setitem__(1, NAN),
        lambda m: m.position.__setitem__(0, -float('inf')),
        lambda m: m.position.__setitem__(3, 1e200),
        lambda m: setattr(m, 'position', m.position[:2]),
    ],
    ids=['nan', 'inf', 'huge', 'short'],
)
def test_joint_states_that_are_no_good_cost_the_frames_nearest_to_them(tmp_path, names, bad):
    lines = states(bad)
    made = stream(tmp_path, lines, proprio=4, fits=fits, proprio_names=names)
    frames, _, faults = counts(made)
    assert [(f.stamp_ns - START) // STEP for f in frames] == [0, 1, 3, 4, 5]
    assert faults == {'wrong_proprio': 1}


def test_joint_states_of_another_driver_are_no_damage(tmp_path):
    others = [bags.joints('/joint_states', START + k * STEP - 2, finger=0.0) for k in range(6)]
    lines = [*others, *states(lambda m: None)]
    frames, _, faults = counts(stream(tmp_path, lines, proprio=4, fits=fits))
    assert len(frames) == 6 and faults == {}


def test_a_joint_that_never_comes_is_named(tmp_path):
    made = stream(
        tmp_path, states(lambda m: None), proprio=4, fits=fits, proprio_names=[*NAMES[:3], 'wrist']
    )
    with pytest.raises(BagError, match='/joint_states never gave wrist: see --proprio-name'):
        list(made)


def test_frames_before_the_first_joint_states_are_no_damage(tmp_path):
    frames, _, faults = counts(stream(tmp_path, states(lambda m: None)[3:], proprio=4, fits=fits))
    assert len(frames) == 3 and faults == {'no_proprio_yet': 3}


def gripper_states():
    lines = []
    for k in range(6):
        ns = START + k * STEP
        lines += [
            bags.joints('/joint_states', ns, elbow=1.0),
            bags.joints('/joint_states', ns + 1, left_finger=0.01 * k),
            bags.joints('/joint_states', ns + 2, right_finger=0.5),
        ]
    return lines


def test_a_gripper_among_joint_states_of_several_drivers_is_one_joint_all_the_time(tmp_path):
    wishes = Wishes(grippers=('/joint_states',))
    made = stream(tmp_path, twists() + gripper_states(), wishes)
    _, samples, faults = counts(made)
    values = [sample.value for sample in samples if sample.role == 'gripper']
    assert values == pytest.approx([0.01 * k for k in range(6)]) and faults == {}


def test_a_gripper_joint_that_never_comes_is_said(tmp_path):
    made = stream(
        tmp_path,
        twists() + gripper_states(),
        Wishes(grippers=('/joint_states',)),
        gripper_joints=('thumb',),
    )
    assert counts(made)[2] == {'no_gripper': 1}
    assert 'never gave a position of thumb' in made.faults.first['no_gripper']


def test_one_topic_may_have_two_roles(tmp_path):
    lines = [
        bags.joints(
            '/joint_states', START + k * STEP - 1, gripper=0.1 * k, **dict.fromkeys(NAMES[:3], 0.0)
        )
        for k in range(6)
    ]
    frames, samples, faults = counts(
        stream(
            tmp_path, twists() + lines, Wishes(grippers=('/joint_states',)), proprio=4, fits=fits
        )
    )
    assert len(frames) == 6 and len(samples) == 12 and faults == {}
    assert frames[3].proprio[0] == pytest.approx(0.3)


def test_where_no_frame_can_be_used_the_losses_of_the_bag_are_told_with_the_faults(tmp_path):
    def cut(file, lines):
        lines = [line for line in lines if line.stamp_ns != TOLD.stamp_ns]
        bags.write_mcap(file, lines, use_chunking=False)
        file.write_bytes(file.read_bytes()[:-20])
        return file

    late = bags.string('/vla/instruction', START + 9 * STEP, 'pour')
    with pytest.raises(BagError, match=r'6 x no_instruction: .* --instruction; .*mcap: ends at'):
        list(stream(tmp_path, [late], storage=cut))
