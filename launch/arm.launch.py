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

The list of processes and the arguments stand in `vla_accel_ros.graph.processes`; what is not an
argument is a parameter, explained in `config/arm.yaml`.
"""

from dataclasses import fields
from pathlib import Path
import sys

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from vla_accel_ros.graph.deployment import LOG_LEVELS, SIDES, Deployment, check_words
from vla_accel_ros.graph.processes import ONLOOKERS, environment, overridden, processes, watcher
from vla_accel_ros.stopping import CANNOT_START

PACKAGE = 'vla_accel_ros'
# What `ros2 launch` adds to the arguments by itself.
OF_LAUNCH = ('launch-prefix', 'launch-prefix-filter')


def executable(process):
    """Return where to find a node: among the installed programs, else as a module."""
    try:
        if (Path(get_package_prefix(PACKAGE)) / 'lib' / PACKAGE / process.name).is_file():
            return {'package': PACKAGE, 'executable': process.name}
    except (PackageNotFoundError, OSError):
        # Not in this workspace, or no workspace: installed by pip, or run from the source tree.
        pass
    return {'executable': sys.executable, 'arguments': ['-m', process.module]}


def check_arguments(context):
    """Refuse arguments that this file does not have, which launch takes without a word.

    Only where this file is the one that `ros2 launch` was asked for: another that includes it may
    have arguments of its own.
    """
    if any(Path(word).name == Path(__file__).name for word in sys.argv):
        names = [word.partition(':=')[0] for word in context.argv]
        check_words([name for name in names if name not in OF_LAUNCH])


def give_up(event, _context):
    """End everything when a node cannot start: started again, it would fail again."""
    if event.returncode == CANNOT_START:
        raise RuntimeError(f'{event.process_name} cannot start, it says above why')


def start(context):
    """Start the processes of the deployment that the arguments say."""
    check_arguments(context)
    words = {
        each.name: LaunchConfiguration(each.name).perform(context) for each in fields(Deployment)
    }
    deployment = Deployment.from_words(words)
    listed = processes(deployment)
    nodes = [
        Node(
            name=process.name,
            namespace=f'/{deployment.namespace.strip("/")}',
            ros_arguments=process.ros_arguments(deployment),
            output='screen',
            respawn=True,
            respawn_delay=2.0,
            sigterm_timeout='10',
            **executable(process),
        )
        for process in listed
    ]
    told = [ExecuteProcess(cmd=watcher(deployment, listed), output='screen', name='ready')]
    return [
        *(LogInfo(msg=line) for line in overridden(listed, deployment)),
        *(
            RegisterEventHandler(OnProcessExit(target_action=node, on_exit=give_up))
            for process, node in zip(listed, nodes, strict=True)
            # Who only looks on ends nothing: the arm may be in motion.
            if process.name not in ONLOOKERS
        ),
        *nodes,
        *(told if deployment.autostart else []),
    ]


def generate_launch_description():
    """Declare the arguments, set the environment, start the processes."""

    def text(value):
        if isinstance(value, bool):
            return str(value).lower()
        return ','.join(value) if isinstance(value, tuple) else value

    arguments = [
        DeclareLaunchArgument(
            each.name,
            default_value=text(each.default),
            description=each.metadata['help'],
            choices={'log_level': LOG_LEVELS, 'side': SIDES}.get(each.name),
        )
        for each in fields(Deployment)
    ]
    variables = [SetEnvironmentVariable(*pair) for pair in environment().items()]
    return LaunchDescription([*arguments, *variables, OpaqueFunction(function=start)])
