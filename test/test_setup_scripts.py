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

"""Why setting up failed is said in words that help."""

import os
from pathlib import Path
import re
import subprocess

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = 'venv=.venv-x log=$1; die() { echo "$*"; exit 1; }; . scripts/pip.sh; pip_failed'


@pytest.mark.parametrize(
    ('logged', 'said'),
    [
        (
            'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on\n',
            r'^the disk is full: [\d.]+ GB free here, [\d.]+ GB in .*\.venv-x takes 3 GB',
        ),
        ('ERROR: No matching distribution found for numpy==9\n', '^pip failed; the whole output'),
        # What an earlier run met is mended.
        ('No space left on device\n' + 'Collecting numpy\n' * 30 + 'ERROR: x\n', '^pip failed; '),
    ],
)
def test_why_pip_failed_is_said(tmp_path, logged, said):
    log = tmp_path / 'setup.log'
    log.write_text(logged)
    ended = subprocess.run(
        ['bash', '-euo', 'pipefail', '-c', SCRIPT, '-', log],
        cwd=ROOT,
        env=os.environ | {'TMPDIR': str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert re.search(said, ended.stdout)
    assert ended.stderr == ''.join(
        line for line in logged.splitlines(True)[-5:] if line.startswith('ERROR')
    )
