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

"""The rooms that decide what the arm does have strict types; pyproject.toml says which."""

import subprocess
import sys


def test_mypy_finds_nothing(root):
    # The cache stays in the repository, where the next run finds it: libraries are read once.
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--no-error-summary', '--hide-error-context'],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, '\n' + done.stdout + done.stderr
