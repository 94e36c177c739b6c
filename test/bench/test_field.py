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

"""One engine that fails costs the others nothing, and the first must not fail."""

import pytest

from vla_accel_ros.bench.field import Field


class Turns:
    """Gives what it is told to, or raises it."""

    def __init__(self, answer):
        self.answer, self.ended = answer, False

    def end(self):
        self.ended = True

    @property
    def facts(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_those_that_fail_are_left_out_with_the_reason(capsys):
    turns = [Turns(1), Turns(ValueError('no\n card')), Turns(3)]
    field = Field(turns, ['a', 'b', 'c'])
    assert field.facts() == [1, 3]
    assert field.left_out == {'b': 'no card'} and [name for _, name in field.left()] == ['a', 'c']
    assert [each.ended for each in turns] == [False, True, False]
    assert field.each(lambda turns: 2 * turns.answer) == {'a': 2, 'c': 6}
    assert capsys.readouterr().err == 'bench: b is left out: no card\n'


def test_what_the_first_raises_is_raised():
    field = Field([Turns(ValueError('no weights')), Turns(2)], ['a', 'b'])
    with pytest.raises(ValueError, match='no weights'):
        field.facts()
