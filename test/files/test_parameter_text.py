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


"""Files that a user names, and values as rcl reads them; `ros/test_parameter_check` asks rcl."""

from math import inf, isnan
import os

import pytest

from vla_accel_ros.files.parameter_text import ParameterFileError, read_file, scalar


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('1', 1),
        ('+5', 5),
        ('0x10', 16),
        ('010', 8),
        ('1e3', 1000.0),
        ('.5', 0.5),
        ('1.', 1.0),
        ('0x1p3', 8.0),
        ('1E+5', 1e5),
        ('yes', True),
        ('off', False),
        ('Y', True),
        ('tRue', 'tRue'),
        ('1_000', '1_000'),
        ('1:30', '1:30'),
        ('0o10', '0o10'),
        ('0b1', '0b1'),
        ('null', 'null'),
        ('1e400', '1e400'),
        ('1e-320', '1e-320'),
        ('0e-400', 0.0),
        ('-.inf', -inf),
        ('infinity', inf),
        ('9223372036854775808', 9223372036854775808.0),
        ('-9223372036854775808', -(2**63)),
        ('.Nan', '.Nan'),
        ('08', 8.0),
        ('--5', '--5'),
        ('0x1p99999', '0x1p99999'),
        ('0x1p-99999', '0x1p-99999'),
        ('0x0p-99999', 0.0),
        ('0xffffffffffffffff', 2.0**64),
    ],
)
def test_a_value_is_what_rcl_makes_of_it(text, value):
    assert scalar(text, quoted=False) == value
    assert type(scalar(text, quoted=False)) is type(value)
    assert scalar(text, quoted=True) == text


@pytest.mark.parametrize('text', ['9' * 400, '-' + '9' * 5000, '0x' + 'f' * 5000, '7' * 5000])
def test_a_number_beyond_all_bounds_is_a_text_as_for_rcl(text):
    assert scalar(text, quoted=False) == text


def test_not_a_number_is_one_of_its_own():
    assert all(isnan(scalar(text, quoted=False)) for text in ('nan', '.nan', '-NaN'))


def test_what_is_no_text_file_is_refused_by_name(tmp_path):
    binary, pipe, large = tmp_path / 'binary', tmp_path / 'pipe', tmp_path / 'large'
    binary.write_bytes(b'a: 1\nb: \xff\n')
    os.mkfifo(pipe)
    large.write_bytes(b'#' * 1_000_001)
    for path, complaint in (
        (tmp_path, 'is a folder'),
        (binary, r'line 2 is no text in UTF-8 \(byte 0xff'),
        (pipe, 'is no regular file'),
        (large, 'has more than 1000000 bytes'),
    ):
        with pytest.raises(ParameterFileError, match=f'^mine {complaint}'):
            read_file(path, 'mine')
    for path in (tmp_path / 'none', binary / 'below'):
        with pytest.raises(FileNotFoundError, match=r'^mine is not there'):
            read_file(path, 'mine')


def test_a_text_file_is_read_without_its_byte_order_mark(tmp_path):
    (tmp_path / 'a').write_bytes(b'\xef\xbb\xbfa: \xc3\xa9')
    assert read_file(tmp_path / 'a', 'a') == 'a: é'
