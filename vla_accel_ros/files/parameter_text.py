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


"""The text of a parameter file, and what rcl makes of one value in it.

rcl (`rcl_yaml_param_parser`, `get_value`) reads values by C's rules, PyYAML by its own: for rcl
`1e3` is a number and `null` a text.
"""

from __future__ import annotations

import errno
from math import isinf
from pathlib import Path
import re
import stat

# A file of every parameter has 20 kB.
LARGEST_BYTES = 1_000_000
# Of 64 bits with its sign, also in octal digits; Python reads no decimal one of 5000.
LONGEST_INTEGER = 24
SMALLEST_FLOAT = 2.2250738585072014e-308
TRUE = ('Y', 'y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON')
FALSE = ('N', 'n', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF')
_INTEGER = re.compile(r'[+-]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)')
_DECIMAL = re.compile(r'[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?')
_HEXADECIMAL = re.compile(
    r'[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)'
    r'(?:[pP][+-]?[0-9]+)?'
)
_NO_NUMBER = re.compile(r'(?i:[+-]?(?:inf|infinity|nan))|\.(?:nan|NaN|NAN)|[+-]?\.(?:inf|Inf|INF)')


class ParameterFileError(ValueError):
    """A parameter file that cannot be used; the message names file and line."""


def read_file(path: Path, title: str) -> str:
    """Return the text of a file that a user named.

    Args:
        path: The file.
        title: How a message names it.

    Raises:
        FileNotFoundError: When there is none.
        ParameterFileError: When it is no regular file, too large, no text, or unreadable.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ParameterFileError(f'{title} is a folder, expected a parameter file')
        # Of a pipe or a device nothing may be read: it would wait, or never end.
        if not stat.S_ISREG(mode):
            raise ParameterFileError(f'{title} is no regular file, expected a parameter file')
        with path.open('rb') as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise FileNotFoundError(f'{title} is not there, expected a parameter file') from None
        raise ParameterFileError(f'{title} cannot be read: {error.strerror}') from None
    except ValueError as error:
        # A zero byte in the name.
        if isinstance(error, ParameterFileError):
            raise
        raise ParameterFileError(f'{title!r} is no name of a file') from None
    if len(data) > LARGEST_BYTES:
        raise ParameterFileError(
            f'{title} has more than {LARGEST_BYTES} bytes: that is no parameter file'
        )
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise ParameterFileError(
            f'{title} line {line} is no text in UTF-8 (byte 0x{data[error.start]:02x}), '
            'expected a parameter file in YAML'
        ) from None


def scalar(text: str, quoted: bool) -> object:
    """Return the value that rcl makes of a scalar: a bool, an int, a float or the text."""
    if quoted:
        return text
    if text in TRUE or text in FALSE:
        return text in TRUE
    if len(text) <= LONGEST_INTEGER and _INTEGER.fullmatch(text):
        number = int(text, 8 if re.fullmatch(r'[+-]?0[0-7]+', text) else 0)
        if -(2**63) <= number < 2**63:
            return number
    if _NO_NUMBER.fullmatch(text):
        return float(text.replace('.', ''))
    if _DECIMAL.fullmatch(text):
        return _within(float(text), re.split('[eE]', text)[0], text)
    if _HEXADECIMAL.fullmatch(text):
        try:
            number = float.fromhex(text)
        except OverflowError:
            return text
        return _within(number, re.split('[pP]', text.lower().partition('x')[2])[0], text)
    return text


def _within(number: float, digits: str, text: str) -> object:
    """Return a number, or the text where C's strtod calls it too large or too small."""
    zero = not digits.strip('+-0.')
    return text if isinf(number) or (abs(number) < SMALLEST_FLOAT and not zero) else number
