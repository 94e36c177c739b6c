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


"""What differs between one deployment and another: the arguments of launch file and demo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path

from vla_accel_ros.acceleration.presets import node_parameters
from vla_accel_ros.devices import device_or_auto
from vla_accel_ros.engines.wish import EngineWish
from vla_accel_ros.files.parameter_text import read_file
from vla_accel_ros.files.parameter_yaml import Section, parse
from vla_accel_ros.inputs.instructions import check_instruction
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, share_file, user_path
from vla_accel_ros.ros.names import check_namespace

SIDES = ('all', 'robot', 'gpu')
LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')


def _argument(default: object, text: str):
    return field(default=default, metadata={'help': text})


@dataclass(frozen=True)
class Deployment:
    """What differs between one deployment and another; the launch file's arguments.

    All else is in the parameter file. What stands here goes before that file.

    Raises:
        ValueError: When an argument, the parameter file or the preset is no good.
        FileNotFoundError: When the parameter file or the preset is not there.
    """

    sim: bool = _argument(False, 'also run the embedded arm instead of a robot')
    checkpoint: str = _argument(DEFAULT_CHECKPOINT, 'checkpoint: shipped name, folder or hub name')
    instruction: str = _argument('', 'what to do, in words; empty waits for vla/instruction')
    image_topics: tuple[str, ...] = _argument(
        (),
        "camera topics in the checkpoint's order, separated by commas; empty takes the "
        "embedded arm's, or those of the parameter file",
    )
    device: str = _argument('auto', 'where the model runs: auto, cpu, cuda, cuda:1')
    engine: str = _argument(
        '',
        'what runs the model: auto, eager, compile, cuda_graph, onnxruntime, openvino, tensorrt; '
        'empty leaves it to the parameter file, whose default is auto',
    )
    params_file: str = _argument('', "parameter file; empty takes the package's config/arm.yaml")
    preset: str = _argument(
        '',
        'how to accelerate, over the parameter file: fast, lossless, sp_vla, any of '
        'config/presets or a file of your own; empty leaves it to the parameter file, whose '
        'defaults are fast',
    )
    side: str = _argument(
        'all',
        'which nodes run on this host: all, those of the robot (all but inference, observations '
        'compressed), or gpu (inference alone)',
    )
    markers: bool = _argument(
        False,
        'also publish vla/markers, what RViz can draw of decisions, speed, latency and limits',
    )
    namespace: str = _argument('', 'namespace of every node and topic')
    use_sim_time: bool = _argument(False, 'take the time from /clock')
    log_level: str = _argument('info', 'least severe log messages shown')
    autostart: bool = _argument(True, 'configure and activate the nodes by themselves')

    def __post_init__(self) -> None:
        if self.log_level not in LOG_LEVELS:
            raise ValueError(f'log_level is {self.log_level!r}, expected one of {LOG_LEVELS}')
        if self.side not in SIDES:
            raise ValueError(f'side is {self.side!r}, expected one of {SIDES}')
        if self.sim and self.side == 'gpu':
            raise ValueError('sim is true and side is gpu: the embedded arm is on the robot side')
        device_or_auto(self.device)
        if self.engine:
            EngineWish(self.engine)
        check_namespace(self.namespace)
        if self.instruction.strip():
            check_instruction(self.instruction)
        if self.params_file:
            self.sections()
        if self.preset:
            node_parameters(self.preset)

    @classmethod
    def from_words(cls, words: Mapping[str, str]) -> Deployment:
        """Read the arguments as text, as a launch file has them.

        Raises:
            ValueError: When a yes or no is neither, or a name is unknown.
        """
        check_words(words)
        values: dict[str, object] = {}
        known = {each.name: each for each in fields(cls)}
        for name, text in words.items():
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
            return user_path(self.params_file).resolve()
        return share_file('config/arm.yaml')

    def sections(self) -> tuple[Section, ...]:
        """Read the parameter file.

        Raises:
            FileNotFoundError: When it is not there.
            ParameterFileError: When it is no parameter file.
        """
        title = self.params_file or str(self.parameter_file)
        return parse(read_file(self.parameter_file, title), title)


def check_words(names: Iterable[str]) -> None:
    """Refuse a name that is no argument of a deployment.

    Raises:
        ValueError: Naming it, and what may have been meant.
    """
    known = [each.name for each in fields(Deployment)]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f'did you mean {near[0]}?' if near else f'expected one of {", ".join(known)}'
            raise ValueError(f'{name} is no argument, {meant}')


def _truth(name: str, text: str) -> bool:
    words = {'true': True, '1': True, 'yes': True, 'false': False, '0': False, 'no': False}
    if text.strip().lower() not in words:
        raise ValueError(f'{name} is {text!r}, expected true or false')
    return words[text.strip().lower()]
