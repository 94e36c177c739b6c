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


"""The processes that make up the graph: the one list that launch file and demo share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
import json
import os
import sys

from vla_accel_ros.acceleration.presets import node_parameters
from vla_accel_ros.graph.deployment import Deployment
from vla_accel_ros.graph.parameter_file import check_together, settings_of, tables
from vla_accel_ros.inputs.compression import AUTO, PNG
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.nodes.sim_arm_settings import IMAGES, ONE_ARM
from vla_accel_ros.paths import checkpoint_folder, share_file
from vla_accel_ros.remote.settings import OPTIONS as REMOTE
from vla_accel_ros.ros import enclave, parent
from vla_accel_ros.ros.parameter_check import full_name, resolve

__all__ = [
    'ONLOOKERS',
    'Deployment',
    'Process',
    'environment',
    'overridden',
    'processes',
    'watcher',
]


@dataclass(frozen=True)
class Process:
    """One node as a process.

    Attributes:
        name: The node's name and its executable's.
        parameters: What goes before the parameter file.
        remaps: Topics by the node's own name for them.
        given: What the parameter file sets otherwise than the node would without.
        program: The module to run; the node's own where empty.
    """

    name: str
    parameters: dict[str, object]
    remaps: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, object] = field(default_factory=dict)
    program: str = ''

    @property
    def module(self) -> str:
        """The module to run."""
        return self.program or f'vla_accel_ros.nodes.{self.name}'

    def ros_arguments(self, deployment: Deployment) -> list[str]:
        """Return the arguments behind `--ros-args`, but name and namespace.

        Every parameter is named: what was checked is what holds, whatever becomes of the file.
        """
        words = []
        for topic, other in self.remaps.items():
            words += ['-r', f'{topic}:={other}']
        logger = full_name(self.name, deployment.namespace).strip('/').replace('/', '.')
        words += ['--log-level', f'{logger}:={deployment.log_level}']
        words += enclave.arguments(self.name, deployment.namespace)
        for name, value in {**self.given, **self.parameters}.items():
            # JSON is YAML: a text stays a text, whatever it looks like.
            words += ['-p', f'{name}:={json.dumps(value, ensure_ascii=False)}']
        return words

    def command(self, deployment: Deployment) -> list[str]:
        """Return the command line that starts it without launch."""
        namespace = deployment.namespace.strip('/')
        words = [sys.executable, '-m', self.module, '--ros-args']
        if namespace:
            words += ['-r', f'__ns:=/{namespace}']
        return words + self.ros_arguments(deployment)


# They only look on: the arm moves without them.
ONLOOKERS = ('markers',)


def watcher(deployment: Deployment, listed: Iterable[Process]) -> list[str]:
    """Return the command line of the process that says when all nodes are active."""
    return [
        sys.executable,
        '-m',
        'vla_accel_ros.graph.ready',
        '--namespace',
        deployment.namespace,
        '--nodes',
        *(process.name for process in listed if process.name not in ONLOOKERS),
    ]


def processes(deployment: Deployment) -> tuple[Process, ...]:
    """Return what to start, in the order in which an observation becomes motion.

    Raises:
        ValueError: When parameter file or preset say what the nodes do not take; the message
            names file and line.
    """
    given = parameters_of_file(deployment)
    listed = [
        each
        for each in _processes(deployment, given)
        if deployment.side == 'all' or (each.name == 'inference') == (deployment.side == 'gpu')
    ]
    try:
        return tuple(replace(each, given=_changed(each, given[each.name])) for each in listed)
    except ValueError as error:
        if not deployment.params_file:
            raise
        raise ValueError(f'{deployment.params_file}: {error}') from None


def overridden(listed: Iterable[Process], deployment: Deployment) -> list[str]:
    """Say which values of the parameter file do not hold, because something goes before it.

    Args:
        listed: What `processes` gave.
        deployment: Of which.

    Returns:
        A line a parameter.
    """
    if not deployment.params_file:
        return []
    told, given = [], parameters_of_file(deployment)
    for process in listed:
        own = given[process.name]
        for name in own.keys() & process.parameters.keys():
            # As JSON: a list is a tuple in a file.
            file, holds = (
                json.dumps(values[name], ensure_ascii=False)
                for values in (own, process.parameters)
            )
            if file != holds:
                told.append(
                    f'{process.name}: {name} is {holds}, not {file} as in '
                    f'{deployment.params_file}: checkpoint, preset and arguments go before it'
                )
    return sorted(told)


def parameters_of_file(deployment: Deployment) -> dict[str, dict[str, object]]:
    """Return what the parameter file sets: node -> parameter -> value.

    Raises:
        ParameterFileError: When it sets what no node has or takes; names the line.
    """
    title = deployment.params_file or str(deployment.parameter_file)
    return resolve(deployment.sections(), title, tables(), deployment.namespace)


def _changed(process: Process, given: dict[str, object]) -> dict[str, object]:
    """Return what a file sets that is no default, after a check of all values together."""
    try:
        check_together(process.name, {**given, **process.parameters})
    except ValueError as error:
        raise ValueError(
            f'the parameters of {process.name} do not fit together: {error}'
        ) from None
    defaults = {setting.name: setting.default for setting in settings_of(process.name)}
    return {
        name: value
        for name, value in given.items()
        if name not in defaults or defaults[name] != value
    }


def _processes(
    deployment: Deployment, given: Mapping[str, Mapping[str, object]]
) -> tuple[Process, ...]:
    """Return what to start, with what the deployment sets.

    Args:
        deployment: The deployment.
        given: What the parameter file sets: node -> parameter -> value.
    """
    robot = str(given['sim_arm'].get('robot', ONE_ARM))
    common = {'use_sim_time': deployment.use_sim_time, 'autostart': deployment.autostart}
    accelerated = _accelerated(deployment.preset) if deployment.preset else {}
    topics = deployment.image_topics or (IMAGES[robot] if deployment.sim else ())
    camera = {**common, **_views(deployment, given['inference'])}
    if topics:
        camera['image_topics'] = list(topics)
    scheduler = {**common, **accelerated.get('scheduler', {})}
    if deployment.side == 'robot' and given['scheduler'].get('observation', AUTO) == AUTO:
        # A link is slower than shared memory, and only PNG changes no token.
        scheduler['observation'] = PNG
    if deployment.instruction:
        scheduler['instruction'] = deployment.instruction
    arm = dict(common)
    if deployment.sim and deployment.use_sim_time:
        # Time comes in the arm's steps of 0.05 s: no twist can be held for less. Whoever steps
        # may take his time.
        arm |= {'max_rate': 20.0, 'clock_patience': 60.0}
    listed = [
        Process('camera', camera),
        Process('scheduler', scheduler),
        Process(
            'inference',
            {
                **common,
                **accelerated.get('inference', {}),
                'checkpoint': deployment.checkpoint,
                'device': deployment.device,
                **({'engine': deployment.engine} if deployment.engine else {}),
            },
        ),
        Process('arm_command', arm),
    ]
    if deployment.sim:
        # A robot has no simulation installed.
        from vla_accel_ros.sim.tasks import parse

        # With simulated time the arm is what drives the clock, one step at a time.
        sim = {**common, 'use_sim_time': False, 'real_time': not deployment.use_sim_time}
        if 'image_size' in camera:
            # Drawn at the size it is looked at: what the embedded checkpoint was trained on.
            sim['image_size'] = camera['image_size']
        try:
            # The two arms take no task.
            if robot == ONE_ARM:
                sim['task'] = parse(deployment.instruction).instruction
        except ValueError:
            # None, or one in other words: the arm draws a task of its own.
            pass
        listed.append(Process('sim_arm', sim))
    if deployment.markers:
        listed.append(Process('markers', common))
    return tuple(listed)


def _accelerated(preset: str) -> dict[str, dict[str, object]]:
    """Return what a preset sets of each node, each value as its node takes it."""
    known, found = tables(), node_parameters(preset)
    try:
        return {
            node: {name: known[node][name].check(value) for name, value in own.items()}
            for node, own in found.items()
        }
    except ValueError as error:
        raise ValueError(f"preset '{preset}': {error}") from None


def _views(deployment: Deployment, inference: Mapping[str, object]) -> dict[str, object]:
    """Return how the camera node has to fit its views to whatever answers them."""
    if not inference.get('remote'):
        return camera_parameters(deployment.checkpoint)
    # How they are resized the parameter file says: no checkpoint does.
    default = REMOTE['remote_image_size'].default
    return {'image_size': inference.get('remote_image_size', default)}


def camera_parameters(checkpoint: str) -> dict[str, object]:
    """Return how the camera node has to fit its views to what the checkpoint wants.

    Empty where the checkpoint is not on this machine (yet): the parameter file decides then.
    """
    try:
        config = read_config(checkpoint_folder(checkpoint))
    except (FileNotFoundError, CheckpointError):
        # A hub name, or a bad folder: the inference node is who says so.
        return {}
    fitting = {'image_size': config.image_size, 'resize': config.resize}
    if config.centre_crop is not None:
        # Before their crop such checkpoints were trained on images resized so.
        fitting['filter'] = 'lanczos'
    return fitting


def environment() -> dict[str, str]:
    """Return the environment variables that every process needs beside the present ones."""
    variables = {parent.VARIABLE: str(os.getpid())}
    if not os.environ.get('FASTRTPS_DEFAULT_PROFILES_FILE'):
        variables['FASTRTPS_DEFAULT_PROFILES_FILE'] = str(share_file('config/fastdds.xml'))
    return variables
