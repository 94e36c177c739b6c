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

"""Machines are compared before an episode is run on them."""

from dataclasses import replace

import pytest

from vla_accel_ros.cluster.facts import asking, code_of, differences, facts


@pytest.fixture(scope='module')
def here():
    return facts()


def test_a_machine_is_like_itself_and_like_one_with_another_processor(here):
    assert differences(here, here) == []
    assert differences(here, replace(here, host='other', processor='another')) == []


@pytest.mark.parametrize(
    ('changed', 'said'),
    [
        ({'python': '3.8'}, 'Python is 3.8 there and 3.'),
        ({'package': '0.0.9'}, 'vla_accel_ros is 0.0.9 there and '),
        ({'code': 'f' * 64}, 'has other code there than here'),
        ({'libraries': {'mujoco': '3.2'}}, 'mujoco is 3.2 there and '),
        ({'libraries': {}}, 'torch is not installed there and '),
    ],
)
def test_what_differs_is_said(here, changed, said):
    assert any(said in line for line in differences(here, replace(here, **changed)))


def test_the_question_can_be_asked_where_nothing_is_installed(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, 'vla_accel_ros.cluster.facts', None)
    assert 'vla_accel_ros.cluster.facts' in asking()()


def test_code_is_known_by_names_and_contents(tmp_path):
    def mark(**files):
        for file in tmp_path.glob('*.py'):
            file.unlink()
        for name, text in files.items():
            (tmp_path / f'{name}.py').write_text(text)
        return code_of(tmp_path)

    marks = [mark(a='1'), mark(b='1'), mark(a='2'), mark(a='1', b=''), mark(a='1')]
    assert len(set(marks)) == 4 and marks[0] == marks[4]
