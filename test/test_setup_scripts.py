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
SCRIPT = 'venv=$1 log=$1/setup.log; die() { echo "$*"; exit 1; }; . scripts/pip.sh; '
# Prints what it was called with, then the text of a file, and fails where that has an error.
PYTHON = """#!/usr/bin/env bash
echo "called: $*"
cat "$(dirname "$0")/said"
! grep -q ERROR "$(dirname "$0")/said"
"""
FULL = 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n'


def run(venv, said, **environment):
    """Install with a pip that says this; give the exit status, standard output and error."""
    (venv / 'bin').mkdir(exist_ok=True)
    (venv / 'bin/said').write_text(said)
    (venv / 'bin/python').write_text(PYTHON)
    (venv / 'bin/python').chmod(0o755)
    ended = subprocess.run(
        ['bash', '-euo', 'pipefail', '-c', f'{SCRIPT} pip_install -r x.txt; echo done', '-', venv],
        cwd=ROOT,
        env=os.environ | {'TMPDIR': str(venv)} | environment,
        capture_output=True,
        text=True,
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_what_is_downloaded_is_shown_and_all_is_kept(tmp_path):
    said = '  Downloading https://host/numpy-2.4.0-cp311-x86_64.whl (16.4 MB)\n'
    said += 'Installing collected packages: a\n'
    status, out, err = run(tmp_path, said)
    assert (status, err) == (0, '')
    assert out == '    numpy-2.4.0  16.4 MB\n    installing\ndone\n'
    kept = (tmp_path / 'setup.log').read_text()
    assert kept.endswith(said) and '-m pip install' in kept and '--no-compile -r x.txt' in kept


@pytest.mark.parametrize(
    ('said', 'reason'),
    [
        (FULL, r'^the disk was full\. Now [\d.]+ GB are free here, [\d.]+ GB in .*takes 3 GB'),
        # What pip says behind it may be long.
        (FULL + 'x' * 300_000 + '\n', '^the disk was full'),
        ('ERROR: No matching distribution found for numpy==9\n', '^pip failed; the whole output'),
    ],
)
def test_why_pip_failed_is_said(tmp_path, said, reason):
    # What an earlier run met is mended.
    (tmp_path / 'setup.log').write_text('ERROR: old\n' + FULL if 'Errno' not in said else '')
    status, out, err = run(tmp_path, said)
    assert status == 1 and re.search(reason, out)
    assert err == said.splitlines(keepends=True)[0]


def test_a_full_disk_is_told_where_the_log_has_no_room_for_it(tmp_path):
    (tmp_path / 'df').write_text('#!/bin/sh\nprintf "head\\nx 1 1 12 1 /\\n"\n')
    (tmp_path / 'df').chmod(0o755)
    path = f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'
    status, out, _ = run(tmp_path, 'ERROR: x\n', PATH=path)
    assert status == 1 and out.startswith('the disk was full. Now 0.0 GB are free')
