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
"""What costs more says so, and tables fit a line."""

import numpy as np
import pytest

from vla_accel_ros.report.text import FASTER, against, columns


@pytest.mark.parametrize(
    ('ratio', 'interval', 'text'),
    [
        (3.14, (2.9, 3.4), '3.14x less (2.90 to 3.40)'),
        (0.74, (0.7, 0.78), '1.35x more (1.28 to 1.43)'),
        (1.02, (0.95, 1.1), '1.02x less (1.05x more to 1.10x less)'),
        (np.float64(0.5), None, '2.00x more'),
        (1.001, None, 'the same'),
        (None, None, '-'),
        (0.0, None, '-'),
        (float('inf'), None, '-'),
        (float('nan'), (1, 2), '-'),
        (2.0, (float('nan'), 3.0), '2.00x less'),
        (2.0, (0.0, 3.0), '2.00x less'),
    ],
)
def test_a_ratio_is_said_in_words(ratio, interval, text):
    assert against(ratio, interval) == text


def test_a_speed_has_other_words():
    assert against(0.5, words=FASTER) == '2.00x slower'


@pytest.mark.parametrize('width', [40, 80, 100, 500])
def test_a_table_that_is_too_wide_goes_on_below_with_its_names(width):
    rows = [
        ['method', *(f'heading {k}' for k in range(12))],
        *([name, *['1.0'] * 12] for name in ('none', 'fast')),
    ]
    text = columns(rows, width=width)
    assert all(len(line) <= width for line in text.splitlines())
    parts = text.split('\n\n')
    assert all(part.split()[0] == 'method' and 'none' in part for part in parts)
    assert text.count('heading') == 12 and text.count('1.0') == 24
