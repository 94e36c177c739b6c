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


"""The nodes as installed programs, where something is not installed."""

import subprocess
import sys

import pytest

from vla_accel_ros.stopping import CANNOT_START

WITHOUT = """
import sys
sys.modules[{module!r}] = None
from vla_accel_ros.nodes import programs
sys.exit(programs.{name}())
"""


@pytest.mark.parametrize(
    ('name', 'module', 'remedy'),
    [
        ('camera', 'rclpy', 'source /opt/ros/jazzy/setup.bash'),
        ('arm_command', 'trajectory_msgs', 'requirements-ros.txt'),
        ('scheduler', 'numpy', 'pip install -r requirements.txt'),
        ('sim_arm', 'mujoco', "'mujoco>="),
        ('markers', 'visualization_msgs', 'requirements-ros.txt'),
    ],
)
def test_a_missing_module_is_one_line_with_what_to_do(name, module, remedy):
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT.format(module=module, name=name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == CANNOT_START
    assert done.stderr.startswith(f'{name}: {module} is not installed: ')
    assert remedy in done.stderr and done.stderr.count('\n') == 1
