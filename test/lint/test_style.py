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

import subprocess
import sys

HEADER = (
    'Licensed under the Apache License, Version 2.0 (the "License");',
    'you may not use this file except in compliance with the License.',
    'You may obtain a copy of the License at',
    'http://www.apache.org/licenses/LICENSE-2.0',
    'Unless required by applicable law or agreed to in writing, software',
    'distributed under the License is distributed on an "AS IS" BASIS,',
    'WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.',
    'See the License for the specific language governing permissions and',
    'limitations under the License.',
)
# As formatted: one argument a line where a call does not fit into one.
LONGEST = 340


def test_ruff_finds_nothing(root):
    done = subprocess.run(
        [sys.executable, '-m', 'ruff', 'check', '--no-cache', '--output-format=concise', '.'],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, '\n' + done.stdout + done.stderr


def test_every_file_is_formatted(root):
    done = subprocess.run(
        [sys.executable, '-m', 'ruff', 'format', '--no-cache', '--check', '.'],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, '\n' + done.stdout + done.stderr


def test_every_source_starts_with_the_copyright_and_the_licence(files):
    without = []
    for file in files:
        if file.suffix not in ('.py', '.sh'):
            continue
        lines = file.read_text(encoding='utf-8').splitlines()
        if lines and lines[0].startswith('#!'):
            lines = lines[1:]
        comment = [line.lstrip('# ') for line in lines[: len(HEADER) + 4]]
        owner = comment[0].startswith('Copyright 20') and lines[0].startswith('#')
        if not (owner and all(line in comment for line in HEADER)):
            without.append(str(file))
    assert not without


def test_no_source_is_longer_than_one_idea(root, sources):
    lengths = {
        str(file.relative_to(root)): len(file.read_text(encoding='utf-8').splitlines())
        for file in sources
    }
    assert not {name: n for name, n in lengths.items() if n > LONGEST}
