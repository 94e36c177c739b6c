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

"""Messages as a broken driver or a stranger would send them: any field may hold anything."""

from copy import deepcopy
import math
import random
import re

FLOATS = (math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 0.0, -1.0, 7.0)
TEXTS = ('', ' ', 'a' * 5000, '\x00', '../../etc', 'banana', '\u202e\u00e9', '{}', 'rgb8')
LENGTHS = (0, 1, 2, 6, 7, 8, 300)


def hostile(message, seed):
    """Return a copy of a valid message of which some fields hold what they should not.

    Args:
        message: A ROS message that is all right.
        seed: Decides which fields, and what they hold.
    """
    dice, spoilt = random.Random(seed), deepcopy(message)
    for _ in range(dice.randint(1, 3)):
        _spoil(spoilt, dice)
    return spoilt


def _spoil(message, dice) -> None:
    name, kind = dice.choice(sorted(message.get_fields_and_field_types().items()))
    setattr(message, name, _value(getattr(message, name), kind, dice))


def _value(old, kind, dice):
    if kind.startswith('sequence<'):
        return _sequence(old, kind[len('sequence<') : -1].split(',')[0], dice)
    if '[' in kind:
        return old
    if kind in ('double', 'float'):
        return dice.choice(FLOATS) if kind == 'double' else dice.choice((math.nan, math.inf, 0.0))
    if kind == 'string':
        return dice.choice(TEXTS)
    if kind == 'boolean':
        return not old
    whole = re.fullmatch(r'(u?)int(\d+)', kind)
    if whole:
        bits = int(whole[2])
        low, high = (0, 2**bits - 1) if whole[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return dice.choice((low, high, 0, 1, high // 2))
    if kind == 'octet':
        return old
    # A message within the message.
    _spoil(old, dice)
    return old


def _sequence(old, kind, dice):
    items = list(old)
    if items and dice.random() < 0.6:
        at = dice.randrange(len(items))
        items[at] = _value(items[at], kind, dice)
        return items if kind not in ('uint8', 'octet') else bytes(items)
    length = dice.choice(LENGTHS)
    if kind in ('uint8', 'octet'):
        return dice.randbytes(length)
    if not items:
        return items
    return [deepcopy(dice.choice(items)) for _ in range(length)]
