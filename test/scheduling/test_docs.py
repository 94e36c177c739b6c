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
"""The page on methods says of the scheduler's parameters what the code says."""

from pathlib import Path

from vla_accel_ros.scheduling.config import PARAMETERS, SchedulerConfig

PAGE = (Path(__file__).parents[2] / 'docs' / 'methods.md').read_text(encoding='utf-8')


def test_the_defaults_of_the_rules_tables_are_those_of_the_code():
    rows = [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in PAGE.splitlines()
        if line.startswith('| `')
    ]
    said = {row[0].strip('`'): row[2] for row in rows if row[0].strip('`') in PARAMETERS}
    config = SchedulerConfig()
    assert {name for name in PARAMETERS if name.startswith('trust_')} <= set(said)
    for name, default in said.items():
        assert float(default) == getattr(config, PARAMETERS[name]), name
