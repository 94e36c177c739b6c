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


"""The arm, simulated or real: every node as a process of its own.

The list of processes and the arguments stand in `vla_accel_ros.nodes.processes`; what is not an
argument is a parameter, explained in `config/arm.yaml`.
"""

from dataclasses import fields
from pathlib import Path
import sys

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from vla_accel_ros.nodes.processes import LOG_LEVELS, Deployment, environment, processes

PACKAGE = 'vla_accel_ros'


def executable(process):
    """Return where to find a node: among the installed programs, else as a module."""
    try:
        if (Path(get_package_prefix(PACKAGE)) / 'lib' / PACKAGE / process.name).is_file():
            return {'package': PACKAGE, 'executable': process.name}
    except PackageNotFoundError:
        # Not in this workspace: installed by pip, or run from the source tree.
        pass
    return {'executable': sys.executable, 'arguments': ['-m', process.module]}


def start(context):
    """Start the processes of the deployment that the arguments say."""
    words = {each.name: LaunchConfiguration(each.name).perform(context)
             for each in fields(Deployment)}
    deployment = Deployment.from_words(words)
    namespace = deployment.namespace.strip('/')
    logger = '.'.join(filter(None, namespace.split('/')))
    return [
        Node(
            name=process.name, namespace=f'/{namespace}',
            parameters=[str(deployment.parameter_file), process.parameters],
            ros_arguments=[
                '--log-level',
                f"{'.'.join(filter(None, (logger, process.name)))}:={deployment.log_level}"],
            output='screen', respawn=True, respawn_delay=2.0, sigterm_timeout='10',
            **executable(process))
        for process in processes(deployment)
    ]


def generate_launch_description():
    """Declare the arguments, set the environment, start the processes."""
    def text(value):
        if isinstance(value, bool):
            return str(value).lower()
        return ','.join(value) if isinstance(value, tuple) else value

    arguments = [
        DeclareLaunchArgument(
            each.name, default_value=text(each.default), description=each.metadata['help'],
            choices=LOG_LEVELS if each.name == 'log_level' else None)
        for each in fields(Deployment)
    ]
    variables = [SetEnvironmentVariable(*pair) for pair in environment().items()]
    return LaunchDescription([*arguments, *variables, OpaqueFunction(function=start)])
