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

"""What a folder says of its data, and what it may not say."""

import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.checkpoints.conventions import (
    CONVENTIONS,
    Conventions,
    known_step,
    read_conventions,
)
from vla_accel_ros.models.checkpoints.json_file import CheckpointError


def test_a_folder_without_the_file_says_nothing(tmp_path):
    assert read_conventions(tmp_path) == Conventions()


def test_what_is_said_is_read(tmp_path):
    (tmp_path / CONVENTIONS).write_text(
        '{"step_s": 0.05, "frame": "base", "actions": "end_effector", "views": ["a"]}'
    )
    found = read_conventions(tmp_path)
    assert found == Conventions(0.05, 'base', END_EFFECTOR, ('a',))


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('[]', 'holds a list, expected an object'),
        ('{"step": 1}', 'step is unknown, expected one of step_s, frame'),
        ('{"step_s": 0}', 'step_s is 0, expected a number from 0.001 to 10'),
        ('{"step_s": NaN}', 'step_s is NaN'),
        ('{"frame": 3}', 'frame is 3, expected a text'),
        ('{"views": []}', 'views is a list of 0'),
        ('{"state": "a"}', "state is 'a', expected a list"),
        ('{"actions": "joints"}', 'expected the name of an action space'),
        ('{"actions": {"name": "a", "groups": [{"kind": "x", "names": ["a"]}]}}', "kind is 'x'"),
    ],
)
def test_what_it_may_not_say_is_refused_with_file_value_and_expectation(tmp_path, text, complaint):
    (tmp_path / CONVENTIONS).write_text(text)
    with pytest.raises(CheckpointError, match=complaint) as caught:
        read_conventions(tmp_path)
    assert CONVENTIONS in str(caught.value)


def test_the_rate_of_a_data_set_is_known_by_how_its_name_begins():
    assert known_step('droid_wrist') == pytest.approx(1 / 15)
    assert known_step('my_arm') is None
