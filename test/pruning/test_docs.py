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


from pathlib import Path

import pytest

from vla_accel_ros.pruning.registry import METHODS
from vla_accel_ros.pruning.tables import common_table, table
from vla_accel_ros.scheduling.config import PARAMETERS as SCHEDULING

PAGE = (Path(__file__).parents[2] / 'docs' / 'methods.md').read_text(encoding='utf-8')


@pytest.mark.parametrize('name', [name for name in METHODS if name != 'none'])
def test_the_page_has_each_methods_parameters_as_they_are(name):
    assert table(name) in PAGE


def test_the_page_has_the_parameters_that_all_methods_share():
    assert common_table() in PAGE


def test_the_page_has_no_parameter_that_the_code_lacks():
    tables = [table(name) for name in METHODS] + [common_table()]
    known = {row for text in tables for row in text.splitlines()}
    rows = {row for row in PAGE.splitlines() if row.startswith('| `') and '| `' in row[3:]}
    # Rules of the scheduler have tables of their own; test/scheduling/test_docs.py has them.
    rows = {row for row in rows if row.split('`')[1] not in SCHEDULING}
    assert len(rows) > 40 and rows <= known


@pytest.mark.parametrize(
    'reason',
    [
        'keep_all',
        'first_step',
        'slow',
        'warm_up',
        'refresh',
        'no_edges',
        'no_contrast',
        'not_finite',
        'pruned',
        'does_not_pay',
    ],
)
def test_the_page_explains_every_reason(reason):
    assert f'`{reason}`' in PAGE
