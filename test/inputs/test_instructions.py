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
"""What is no instruction is refused, and says why."""

import pytest

from vla_accel_ros.inputs.instructions import LONGEST_INSTRUCTION, check_instruction


@pytest.mark.parametrize(
    'text',
    [
        'pick up the red cube',
        'PICK UP THE RED CUBE.',
        ' spaces around ',
        'two\nlines',
        'tab\there',
        'hebe den roten Würfel auf',
        'あかい',
        'x' * LONGEST_INSTRUCTION,
    ],
)
def test_plain_text_of_any_language_is_one(text):
    check_instruction(text)


@pytest.mark.parametrize('text', ['', ' ', '\n\t ', '\u200b', '\ufeff', '\x00'])
def test_what_shows_nothing_is_empty(text):
    with pytest.raises(ValueError, match='the instruction is empty'):
        check_instruction(text)


def test_a_text_that_is_too_long_is_refused_with_its_length():
    with pytest.raises(ValueError, match='has 40000 characters, expected at most 1000'):
        check_instruction('a ' * 20000)


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('pick\x00up', r'U\+0000 at 4'),
        ('pick \x1b[31mup', r'U\+001B at 5'),
        ('pick \ud800 up', r'U\+D800 at 5'),
        ('\x7fgo', r'U\+007F at 0'),
    ],
)
def test_control_characters_and_halves_of_pairs_are_named(text, said):
    with pytest.raises(ValueError, match=said):
        check_instruction(text)
