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

"""What a declaration of a parameter allows, refuses and shows."""

from dataclasses import dataclass, field
from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.options import Option, check_options, option, options_of, shared, table

RATE = Option('rate', 20.0, 'Rate of the stream', unit='Hz', range=(20.0, 100.0))
COUNT = Option('count', 3, 'How many', range=(1, 9))
MODE = Option('mode', 'a', 'Which way', choices=('a', 'b'))
BOX = Option('box', [0.0, 1.0], 'Lower and upper', unit='m', range=(-1.0, 1.0), length=2)
FLAG = Option('flag', True, 'Whether at all')
NAMES = Option('names', ('a',), 'Of what')


@dataclass(frozen=True)
class Band:
    low: float = option(0.5, 'Lower end', unit='m/s', range=(0.0, 1.0))
    kinds: tuple[str, ...] = option(('a',), 'Of which', choices=('a', 'b'))
    plain: int = 7

    def __post_init__(self):
        check_options(self)


@dataclass(frozen=True)
class Wider:
    band_low: float = shared(Band, 'low')
    parts: list = field(default_factory=list)


@given(st.floats(20.0, 100.0))
def test_values_within_the_range_pass_unchanged(value):
    assert RATE.check(value) == value


@pytest.mark.parametrize('value', [19.999, 100.001, nan, inf, -inf, -20])
def test_values_outside_are_refused_naming_value_range_and_unit(value):
    with pytest.raises(ValueError, match=r'rate is .+, expected a number from 20.0 to 100.0 Hz'):
        RATE.check(value)


@pytest.mark.parametrize('declared', [RATE, COUNT])
@pytest.mark.parametrize('sign', [1, -1])
def test_a_whole_number_that_no_float_holds_is_refused_as_any_other(declared, sign):
    with pytest.raises(ValueError, match=f'{declared.name} is -?9+, expected'):
        declared.check(sign * int('9' * 400))
    with pytest.raises(ValueError, match='expected a whole number from 1 to 9'):
        COUNT.read('9' * 400)


def test_an_integer_is_taken_for_a_float_but_not_the_reverse():
    assert type(RATE.check(25)) is float
    with pytest.raises(ValueError, match=r'count is 3\.0, expected a whole number from 1 to 9'):
        COUNT.check(3.0)


@pytest.mark.parametrize(
    ('declared', 'value'),
    [
        (RATE, '25'),
        (RATE, True),
        (COUNT, True),
        (FLAG, 1),
        (MODE, 1),
        (BOX, 0.5),
        (BOX, 'ab'),
        (NAMES, {'a': 1}),
        (NAMES, [b'a']),
    ],
)
def test_a_value_of_another_type_is_refused(declared, value):
    with pytest.raises(ValueError, match=rf'{declared.name}(\[0\])? is .*, expected '):
        declared.check(value)


def test_choices_are_listed_when_refused():
    with pytest.raises(ValueError, match="mode is 'c', expected one of 'a', 'b'"):
        MODE.check('c')


def test_each_element_of_a_list_is_held_to_the_range():
    assert BOX.check([0, 1]) == (0.0, 1.0)
    with pytest.raises(ValueError, match=r'box\[1\] is 1\.5, expected a number from -1.0'):
        BOX.check([0.0, 1.5])
    with pytest.raises(ValueError, match=r'box is \[0.0, 0.0, 0.0\], expected a list of 2'):
        BOX.check([0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r'names is \[\], expected a list of at least 1'):
        NAMES.check([])


@pytest.mark.parametrize(
    ('declared', 'text', 'value'),
    [
        (RATE, '25', 25.0),
        (COUNT, '4', 4),
        (FLAG, 'False', False),
        (MODE, 'b', 'b'),
        (BOX, '0/0.5', (0.0, 0.5)),
    ],
)
def test_a_text_is_read_as_a_value(declared, text, value):
    found = declared.read(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ('declared', 'text'), [(RATE, 'fast'), (COUNT, '2.0'), (FLAG, '1'), (BOX, '0'), (MODE, '')]
)
def test_a_text_that_is_none_of_its_values_is_refused(declared, text):
    with pytest.raises(ValueError, match=f'{declared.name} is .*, expected '):
        declared.read(text)


@pytest.mark.parametrize(
    ('options', 'named'),
    [
        ({'default': 1.0}, 'a number wants a range'),
        ({'default': []}, 'empty list'),
        ({'default': 5.0, 'range': (0.0, 1.0)}, 'x is 5.0, expected'),
        ({'default': True, 'when': 'later'}, "when is 'later'"),
    ],
)
def test_a_declaration_that_is_wrong_fails_at_import(options, named):
    with pytest.raises(ValueError, match=named):
        Option('x', options.pop('default'), 'Some option', **options)


def test_fields_are_checked_and_given_their_type():
    assert Band(low=1, kinds=['b', 'a']) == Band(1.0, ('b', 'a'))
    with pytest.raises(ValueError, match=r'low is 2\.0, expected a number from 0\.0 to 1\.0 m/s'):
        Band(low=2)
    with pytest.raises(ValueError, match=r"kinds\[0\] is 'c', expected one of 'a', 'b'"):
        Band(kinds=('c',))


def test_a_shared_field_has_a_name_of_its_own_and_the_same_default():
    assert Wider().band_low == 0.5
    assert options_of(Wider)['band_low'].name == 'band_low'
    assert list(options_of(Band)) == ['low', 'kinds']


def test_a_table_tells_when_only_where_it_differs():
    assert '| `low` | `0.5` | 0.0 .. 1.0 m/s | Lower end |' in table(options_of(Band).values())
    late = table([FLAG, Option('s', 1, 'At start', range=(0, 1), when='start')])
    assert '| `flag` | `true` |  | at once | Whether at all |' in late
    assert '| `s` | `1` | 0 .. 1 | read when the process starts | At start |' in late
