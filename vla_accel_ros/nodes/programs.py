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


"""The nodes as installed programs: where ROS or a library is missing, they say so in a line."""

from __future__ import annotations

from importlib import import_module
import sys

from vla_accel_ros import extras
from vla_accel_ros.stopping import CANNOT_START

SOURCE = 'source /opt/ros/jazzy/setup.bash, or pip install -r requirements-ros.txt'


def run(name: str, extra: str | None = None) -> int:
    """Run a node; return its exit status, `CANNOT_START` where a module is missing.

    Args:
        name: Of the node's module.
        extra: The extra that it cannot do without.
    """
    try:
        if extra is not None:
            extras.require(extra)
        module = import_module(f'vla_accel_ros.nodes.{name}')
    except ModuleNotFoundError as error:
        missing = error.name or ''
        if missing.startswith('vla_accel_ros'):
            raise
        top = missing.partition('.')[0]
        if top == 'rclpy' or top.endswith(('_msgs', '_srvs', '_interfaces')):
            remedy = SOURCE
        elif bringing := extras.extra_of(top):
            remedy = extras.remedy(bringing)
        else:
            remedy = 'pip install -r requirements.txt'
        print(f'{name}: {top} is not installed: {remedy}', file=sys.stderr)
        return CANNOT_START
    return module.main()


def camera() -> int:
    """Run the camera node."""
    return run('camera')


def scheduler() -> int:
    """Run the scheduler."""
    return run('scheduler')


def inference() -> int:
    """Run the inference node."""
    return run('inference')


def arm_command() -> int:
    """Run arm_command."""
    return run('arm_command')


def sim_arm() -> int:
    """Run the embedded arm."""
    return run('sim_arm', extra='sim')


def markers() -> int:
    """Run what draws for RViz."""
    return run('markers')
