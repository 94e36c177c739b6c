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

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from vla_accel_ros.report import labels, masks, palette
from vla_accel_ros.report.data import Bound, Estimate, Measure
from vla_accel_ros.report.moments import Camera, Clip, ShownTrace, Step
from vla_accel_ros.report.wording import interval, number, times


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_colours_are_told_from_both_papers_and_letters_are_read_on_them():
    for colour in (*palette.METHODS, *palette.KINDS.values(), palette.OTHER):
        assert min(contrast(colour, paper) for paper in palette.PAPER.values()) >= 3
    for colour in (*palette.KINDS.values(), palette.OTHER):
        assert contrast(colour, '#ffffff') >= 4.5
    for theme, ink in palette.INK.items():
        assert contrast(ink, palette.PAPER[theme]) >= 7


def test_names_that_are_not_there_are_refused(report):
    with pytest.raises(ValueError, match="method 'nobody' is unknown, expected one of: none"):
        replace(report, reference='nobody')
    with pytest.raises(ValueError, match="measure 'nothing' is unknown"):
        replace(report, bounds=(Bound('nothing', 1.0),))
    with pytest.raises(ValueError, match='picture 600 of 600 does not exist'):
        replace(report, clips=(Clip('', '', (600,)),))
    with pytest.raises(ValueError, match='method named twice'):
        replace(report, methods=report.methods + report.methods[:1])


def test_numbers_that_contradict_themselves_are_refused():
    with pytest.raises(ValueError, match='expected both ends or none'):
        Estimate(1.0, 0.5)
    with pytest.raises(ValueError, match='expected low <= high'):
        Estimate(1.0, 2.0, 0.0)
    with pytest.raises(ValueError, match="better is 'more'"):
        Measure('a', 'a', better='more')
    with pytest.raises(ValueError, match='1 steps and 2 pictures'):
        ShownTrace((Step(0.0, 'queued'),), (0, 1))


@given(st.lists(st.sets(st.integers(0, 29)), min_size=2, max_size=2))
def test_kept_tokens_survive_being_packed(chosen):
    cameras = (Camera('a', 5, 6), Camera('b', 3, 10))
    kept = [np.array(sorted(ids), np.int64) for ids in chosen]
    back = masks.unpack(masks.pack(kept, cameras))
    assert [ids.tolist() for ids in back] == [ids.tolist() for ids in kept]


def test_the_policys_indices_are_split_by_camera():
    cameras = (Camera('a', 2, 2), Camera('b', 2, 3))
    split = masks.split(np.array([0, 3, 4, 9]), cameras)
    assert [ids.tolist() for ids in split] == [[0, 3], [0, 5]]
    with pytest.raises(ValueError, match='kept tokens of 1 cameras, expected 2'):
        masks.pack((np.array([0]),), cameras)


def test_numbers_are_written_with_sign_unit_and_interval():
    assert number(-0.04, 1, 'mm') == '0.0 mm'
    assert number(-2.5, 1) == '−2.5'
    assert number(None) == number(float('nan')) == '–'
    assert interval(Estimate(1.0, -0.5, 2.0)) == '−0.5 … 2.0'
    assert (times(2.5), times(0.5)) == ('2.50× less', '2.00× more')


def test_names_in_the_scatter_lie_over_nothing_and_are_left_out_where_there_is_no_room():
    apart = labels.place([(1, 1), (9, 9)], ['none', 'fast'], (0, 10), (0, 10))
    assert apart == ['top right', 'top right']
    edge = labels.place([(9.8, 5)], ['a long name'], (0, 10), (0, 10))
    assert edge == ['top left']
    crowd = labels.place([(5, 5)] * 12, ['method'] * 12, (0, 10), (0, 10))
    assert None in crowd
    shown = [place for place in crowd if place]
    assert len(set(shown)) == len(shown)
