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
"""What an instruction may be: some visible text, of bounded length, without control characters."""

from __future__ import annotations

import unicodedata

# Longer texts are no instruction: they would travel with every request, and each word of them
# costs a row of every pass.
LONGEST_INSTRUCTION = 1000


def check_instruction(text: str) -> None:
    """Refuse a text that is no instruction.

    Raises:
        ValueError: When nothing of it is visible, it is longer than `LONGEST_INSTRUCTION`
            characters, or a character of it is a control character or half of a surrogate pair.
    """
    if len(text) > LONGEST_INSTRUCTION:
        raise ValueError(
            f'the instruction has {len(text)} characters, expected at most {LONGEST_INSTRUCTION}'
        )
    if not any(c.isprintable() and not c.isspace() for c in text):
        raise ValueError('the instruction is empty')
    for place, character in enumerate(text):
        if unicodedata.category(character) in ('Cc', 'Cs') and not character.isspace():
            raise ValueError(
                f'the instruction has the character U+{ord(character):04X} at {place}, which '
                'cannot be shown: expected plain text'
            )
