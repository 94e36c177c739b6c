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

"""What must not stand in the repository, and what must be well-formed."""

import json
import re
from xml.etree import ElementTree

import pytest
import yaml

# Written so that no pattern matches itself.
MACHINE_PATH = re.compile(r'(?<![\w.~])/(?:home|root|work|farm|Users)/[\w.]|/(?:tmp)/[a-z]')
UNFINISHED = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|XX' r'X)\b')
DODGED = re.compile(r'pytest\.(?:skip|xfail)\(|mark\.(?:skip|xfail)|(?:time|\b_time)\.sleep\(')
TEXT = ('.py', '.sh', '.md', '.rst', '.yaml', '.xml', '.json', '.toml', '.cfg', '.txt', '')
LINK = re.compile(r'\]\(([^)#\s]+)')


def matches(pattern, files):
    found = []
    for file in files:
        for number, line in enumerate(file.read_text(encoding='utf-8').splitlines(), 1):
            if pattern.search(line):
                found.append(f'{file}:{number}: {line.strip()}')
    return found


@pytest.fixture
def texts(files):
    return [file for file in files if file.suffix in TEXT and file.stat().st_size < 1_000_000]


def test_no_path_of_the_machine_it_was_written_on(texts):
    assert not matches(MACHINE_PATH, texts)


def test_no_place_is_left_unfinished(texts):
    assert not matches(UNFINISHED, texts)


def test_no_test_is_skipped_and_none_sleeps(sources, root):
    tests = [file for file in sources if (root / 'test') in file.parents]
    # They skip what needs a GPU, a wheel, a driver, an asset or rights that are not there, and
    # say which.
    for room in ('', 'cluster', 'engines', 'environments', 'network'):
        tests.remove(root / 'test' / room / 'conftest.py')
    assert not matches(DODGED, tests)


def test_data_files_can_be_parsed(files):
    for file in files:
        if file.suffix in ('.yaml', '.yml'):
            list(yaml.safe_load_all(file.read_text(encoding='utf-8')))
        elif file.suffix == '.json':
            json.loads(file.read_text(encoding='utf-8'))
        elif file.suffix == '.xml':
            ElementTree.parse(file)


def test_links_of_the_documentation_lead_somewhere(files):
    broken = []
    for file in files:
        if file.suffix == '.md':
            for target in LINK.findall(file.read_text(encoding='utf-8')):
                if '://' not in target and not (file.parent / target).exists():
                    broken.append(f'{file}: {target}')
    assert not broken


def test_commands_of_the_documentation_exist(files):
    from vla_accel_ros.command_table import COMMANDS

    unknown = [
        f'{file}: vla-accel {command}'
        for file in files
        if file.suffix == '.md'
        for command in re.findall(r'`?vla-accel ([a-z][a-z-]*)', file.read_text(encoding='utf-8'))
        if command not in COMMANDS
    ]
    assert not unknown


def test_without_checkpoints_the_tree_is_small_enough_for_a_machine_with_a_gpu(files, root):
    shipped = root / 'vla_accel_ros' / 'checkpoints'
    sizes = [file.stat().st_size for file in files if shipped not in file.parents]
    assert 0 < sum(sizes) < 64 << 20
