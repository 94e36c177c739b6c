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

"""Changed bytes: blind changes, and changes that know text and JSON."""

from __future__ import annotations

import json
import random

WORDS = (
    *(b'null', b'NaN', b'-1', b'1e999', b'9223372036854775808', b'true', b'""', b'[]', b'{}'),
    *(b'\x00', b'\xff\xfe', b'\xed\xa0\x80', b'\n', b'\t', b'"', b'{', b'[', b': ', b'- ', b'&a'),
    *(b'*a', b'!!python/object:os.system', b'../', b'\xf0\x9f\xa6\xbe'),
)
VALUES = (
    *(None, True, False, 0, -1, 1, 10**6, 2**63, -(2**63), 0.5, 1e308, float('nan')),
    *(float('inf'), '', 'x', '\u0000', '../..', [], {}, [[]], [None], {'': None}),
)


def changed(content: bytes, dice: random.Random) -> bytes:
    """Return bytes that differ from the given ones in a few places."""
    if dice.random() < 0.5:
        try:
            return _changed_json(json.loads(content), dice)
        except (ValueError, RecursionError):
            pass
    for _ in range(dice.choice((1, 1, 2, 5))):
        content = _step(content, dice)
    return content


def _step(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content) + 1)
    length = min(dice.choice((1, 1, 4, 16, 200)), len(content) - at)
    what = dice.randrange(6)
    if what == 0:
        return content[:at] + content[at + length :]
    if what == 1:
        return content[:at] + dice.choice(WORDS) + content[at + length :]
    if what == 2:
        return content[:at] + dice.randbytes(length) + content[at + length :]
    if what == 3:
        other = dice.randrange(len(content) + 1)
        return content[:at] + content[other : other + length] + content[at:]
    if what == 4:
        return content[:at]
    # One bit, as of a bad disk.
    if at < len(content):
        bit = 1 << dice.randrange(8)
        return content[:at] + bytes((content[at] ^ bit,)) + content[at + 1 :]
    return content


def _changed_json(value: object, dice: random.Random) -> bytes:
    """Change one value at any depth: another value, one less, or one more."""
    places: list[tuple] = []

    def walk(node: object) -> None:
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, inner in pairs:
            places.append((node, key))
            if isinstance(inner, dict | list):
                walk(inner)

    if isinstance(value, dict | list):
        walk(value)
    if not places:
        return json.dumps(dice.choice(VALUES)).encode()
    node, key = dice.choice(places)
    what = dice.randrange(4)
    if what == 0:
        del node[key]
    elif what == 1 and isinstance(node, dict):
        node[dice.choice(('', 'x', '__class__', str(key) * 2))] = node.pop(key)
    else:
        node[key] = dice.choice(VALUES)
    return json.dumps(value).encode()
