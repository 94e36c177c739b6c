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

"""The table on the terminal."""

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.replay.table import render
from vla_accel_ros.report.data import Estimate, MethodRow


def test_a_line_a_method_with_intervals_where_they_matter():
    rows = [
        MethodRow(
            'none', values={'calls': Estimate(1.0, 1.0, 1.0)}, decisions={'deliberative': 1.0}
        ),
        MethodRow(
            'sp_vla+jacobi',
            values={
                'reference_translation_mm': Estimate(1.234, 1.0, 1.5),
                'calls': Estimate(0.5, 0.4, 0.6),
                'effective_hz': None,
            },
            decisions={'deliberative': 0.5, 'intuitive': 0.5},
        ),
    ]
    head, none, other, _, *decisions = render(rows, END_EFFECTOR).splitlines()
    assert head.split()[:4] == ['method', 'off', 'none', 'mm']
    assert none.split() == ['none', *'----', '1.00', *'---']
    assert other.split() == ['sp_vla+jacobi', '1.23', '(1.00-1.50)', *'---', '0.50', *'---']
    assert decisions == [
        'none           deliberative 100%',
        'sp_vla+jacobi  intuitive 50%, deliberative 50%',
    ]
