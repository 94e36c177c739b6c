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

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
import json
import os
from pathlib import Path
import sys

from vla_accel_ros.evaluation.methods.presets import node_parameters
from vla_accel_ros.models.config_file import CheckpointError, read_config
from vla_accel_ros.nodes import parent
from vla_accel_ros.paths import checkpoint_folder, share_file
from vla_accel_ros.sim.tasks import parse

SIM_TOPICS = ('image_raw', 'wrist/image_raw')
LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')


def _argument(default: object, text: str):
    return field(default=default, metadata={'help': text})


@dataclass(frozen=True)
class Deployment:
    """What differs between one deployment and another; the launch file's arguments.

    All else is in the parameter file. What stands here goes before that file.

    Raises:
        ValueError: When the log level is unknown, or the preset is no good.
        FileNotFoundError: When the parameter file or the preset is not there.
    """

    sim: bool = _argument(False, 'also run the embedded arm instead of a robot')
    checkpoint: str = _argument('tabletop-s', 'checkpoint: shipped name, folder or hub name')
    instruction: str = _argument('', 'what to do, in words; empty waits for vla/instruction')
    image_topics: tuple[str, ...] = _argument(
        (), "camera topics in the checkpoint's order, separated by commas; empty takes the "
        "embedded arm's, or those of the parameter file")
    device: str = _argument('auto', 'where the model runs: auto, cpu, cuda, cuda:1')
    params_file: str = _argument('', "parameter file; empty takes the package's config/arm.yaml")
    preset: str = _argument(
        '', 'how to accelerate, over the parameter file: fast, lossless, any of config/presets or '
        'a file of your own; empty leaves it to the parameter file')
    namespace: str = _argument('', 'namespace of every node and topic')
    use_sim_time: bool = _argument(False, 'take the time from /clock')
    log_level: str = _argument('info', 'least severe log messages shown')
    autostart: bool = _argument(True, 'configure and activate the nodes by themselves')

    def __post_init__(self) -> None:
        if self.log_level not in LOG_LEVELS:
            raise ValueError(f'log_level is {self.log_level!r}, expected one of {LOG_LEVELS}')
        if self.params_file and not Path(self.params_file).expanduser().is_file():
            raise FileNotFoundError(f'params_file {self.params_file!r} is no file')
        if self.preset:
            node_parameters(self.preset)

    @classmethod
    def from_words(cls, words: Mapping[str, str]) -> Deployment:
        """Read the arguments as text, as a launch file has them.

        Raises:
            ValueError: When a yes or no is neither, or a name is unknown.
        """
        values: dict[str, object] = {}
        known = {each.name: each for each in fields(cls)}
        for name, text in words.items():
            if name not in known:
                raise ValueError(f'{name} is no argument, expected one of {list(known)}')
            kind = type(known[name].default)
            if kind is bool:
                values[name] = _truth(name, text)
            elif kind is tuple:
                values[name] = tuple(filter(None, (word.strip() for word in text.split(','))))
            else:
                values[name] = text.strip()
        return cls(**values)

    @property
    def parameter_file(self) -> Path:
        """The parameter file in force."""
        if self.params_file:
            return Path(self.params_file).expanduser().resolve()
        return share_file('config/arm.yaml')


@dataclass(frozen=True)
class Process:
    """One node as a process.

    Attributes:
        name: The node's name, its executable's and its module's.
        parameters: What goes before the parameter file.
        remaps: Topics by the node's own name for them.
    """

    name: str
    parameters: dict[str, object]
    remaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The module to run."""
        return f'vla_accel_ros.nodes.{self.name}'

    def command(self, deployment: Deployment) -> list[str]:
        """Return the command line that starts it without launch."""
        namespace = deployment.namespace.strip('/')
        logger = '.'.join([*filter(None, namespace.split('/')), self.name])
        words = [sys.executable, '-m', self.module, '--ros-args']
        if namespace:
            words += ['-r', f'__ns:=/{namespace}']
        for topic, other in self.remaps.items():
            words += ['-r', f'{topic}:={other}']
        words += ['--log-level', f'{logger}:={deployment.log_level}']
        words += ['--params-file', str(deployment.parameter_file)]
        for name, value in self.parameters.items():
            # JSON is YAML: a text stays a text, whatever it looks like.
            words += ['-p', f'{name}:={json.dumps(value, ensure_ascii=False)}']
        return words


def processes(deployment: Deployment) -> tuple[Process, ...]:
    """Return what to start, in the order in which an observation becomes motion."""
    common = {'use_sim_time': deployment.use_sim_time, 'autostart': deployment.autostart}
    accelerated = node_parameters(deployment.preset) if deployment.preset else {}
    topics = deployment.image_topics or (SIM_TOPICS if deployment.sim else ())
    camera = {**common, **camera_parameters(deployment.checkpoint)}
    if topics:
        camera['image_topics'] = list(topics)
    scheduler = {**common, **accelerated.get('scheduler', {})}
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
        Process('inference', {
            **common, **accelerated.get('inference', {}),
            'checkpoint': deployment.checkpoint, 'device': deployment.device}),
        Process('arm_command', arm),
    ]
    if deployment.sim:
        # With simulated time the arm is what drives the clock, one step at a time.
        sim = {**common, 'use_sim_time': False, 'real_time': not deployment.use_sim_time}
        if 'image_size' in camera:
            # Drawn at the size it is looked at: what the embedded checkpoint was trained on.
            sim['image_size'] = camera['image_size']
        try:
            sim['task'] = parse(deployment.instruction).instruction
        except ValueError:
            # None, or one in other words: the arm draws a task of its own.
            pass
        listed.append(Process('sim_arm', sim))
    return tuple(listed)


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


def _truth(name: str, text: str) -> bool:
    words = {'true': True, '1': True, 'yes': True, 'false': False, '0': False, 'no': False}
    if text.strip().lower() not in words:
        raise ValueError(f'{name} is {text!r}, expected true or false')
    return words[text.strip().lower()]
