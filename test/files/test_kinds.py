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
"""Values of a checkpoint's files are of their kind, or refused with their path."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.files.kinds import (
    FieldError,
    Flag,
    Maybe,
    Number,
    Object,
    Part,
    Several,
    Whole,
    Word,
    check_fields,
    of,
    shown,
    take,
)

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@dataclass(frozen=True)
class Inner:
    size: int = field(default=3, metadata=of(Whole(1, 9)))

    def __post_init__(self):
        check_fields(self)
        if self.size == 7:
            raise ValueError('size 7 does not fit')


@dataclass(frozen=True)
class Outer:
    parts: tuple = field(metadata=of(Several(Part(Inner), 1)))
    std: tuple = field(default=(1.0,), metadata=of(Several(Number(0.01, 2))))

    def __post_init__(self):
        check_fields(self)


@pytest.mark.parametrize(
    ('kind', 'value', 'message'),
    [
        (Whole(0, 9), 10, 'is 10, expected a whole number from 0 to 9'),
        (Whole(0, 9), 1.0, 'is 1.0, expected a whole number'),
        (Whole(0, 9), True, 'is true, expected a whole number'),
        (Whole(0, 9), 10**400, 'is a number of more than 20 digits, expected'),
        (Number(), float('nan'), 'is NaN, expected a finite number'),
        (Number(), float('-inf'), 'is -Infinity, expected a finite number'),
        (Number(), 10**400, 'expected a finite number'),
        (Number(), '1', "is '1', expected a finite number"),
        (Number(0, 1), False, 'is false, expected a number from 0 to 1'),
        (Flag(), 'false', "is 'false', expected true or false"),
        (Flag(), 0, 'is 0, expected true or false'),
        (Word(('a', 'b')), 'c', "is 'c', expected one of 'a', 'b'"),
        (Word(pattern='x+', example='xx'), 'xy', "expected a name such as 'xx'"),
        (Object(), [1], 'is a list of 1, expected an object'),
        (Maybe(Flag()), [], 'is a list of 0, expected true or false'),
        (Several(Number(), 3, 3), [1, 2], 'is a list of 2, expected a list of 3'),
        (Several(Number(), 3, 3), '123', "is '123', expected a list of 3"),
        (Several(Number()), [0, None], r'\[1\] is null, expected a finite number'),
    ],
)
def test_what_is_not_of_the_kind_is_shown_with_what_is_expected(kind, value, message):
    with pytest.raises(FieldError, match=f'a.b.*{message}'):
        kind.read(value, 'a.b')


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'parts': [{}, {'size': 0}]}, r'model\.parts\[1\]\.size is 0, expected'),
        ({'parts': [{'size': 7}]}, r'model\.parts\[0\]: size 7 does not fit'),
        ({'parts': [{'sice': 1}]}, r'model\.parts\[0\]\.sice is unknown, expected one of size'),
        ({'parts': [None]}, r'model\.parts\[0\] is null, expected an object'),
        (
            {'parts': [{}], 'std': [1, 0]},
            r'model\.std\[1\] is 0, expected a number from 0.01 to 2',
        ),
        ({}, r'model\.parts is missing'),
    ],
)
def test_a_part_names_the_path_of_what_is_wrong(values, message):
    with pytest.raises(FieldError, match=message):
        Part(Outer).read(values, 'model')


def test_a_part_is_built_of_plain_values_or_is_one_already():
    built = Part(Outer).read({'parts': [{'size': 2}], 'std': [1]}, '')
    assert built == Outer((Inner(2),), (1.0,))
    assert Part(Outer).read(built, '') is built


def test_what_is_not_given_is_the_default():
    assert take({'a': None}, 'a', Flag(), 5) == take({}, 'a', Flag(), 5) == 5
    with pytest.raises(FieldError, match=r'here\.a is 1, expected true or false'):
        take({'a': 1}, 'a', Flag(), where='here')


@given(
    ANY_JSON,
    st.sampled_from(
        [
            Whole(0, 9),
            Number(),
            Flag(),
            Word(),
            Object(),
            Several(Whole(0, 2)),
            Part(Outer),
            Maybe(Number(0, 1)),
        ]
    ),
)
def test_any_value_is_taken_or_refused_by_name(value, kind):
    try:
        kind.read(value, 'key')
    except FieldError as error:
        assert str(error).startswith('key')


@given(ANY_JSON)
def test_any_value_is_shown_in_one_short_printable_line(value):
    text = shown(value)
    assert len(text) < 500 and text.isprintable()
