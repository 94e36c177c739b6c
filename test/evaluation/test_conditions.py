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

"""The conditions of a measurement, as files keep them."""

import sys

import pytest

from vla_accel_ros.evaluation.conditions import command_line


@pytest.mark.parametrize(
    ('word', 'shown'),
    [
        ('postgresql://me:secret@host:5432/name', 'postgresql://me:***@host:5432/name'),
        ('mysql+pymysql://me:se:c@secret@host/name', 'mysql+pymysql://me:***@host/name'),
        ('--storage=postgresql://:secret@host/name', '--storage=postgresql://:***@host/name'),
        ('postgresql://host/name?user=me&password=secret', 'host/name?user=me&password=***'),
        ('postgresql://me@host:5432/name', 'postgresql://me@host:5432/name'),
        ('trust@trust_longest=0.1', 'trust@trust_longest=0.1'),
        ('v_min=0.1:0.2', 'v_min=0.1:0.2'),
    ],
)
def test_a_command_line_that_is_kept_holds_no_password(monkeypatch, word, shown):
    monkeypatch.setattr(sys, 'argv', ['vla-accel', 'tune', word])
    assert shown in command_line() and 'secret' not in command_line()
