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

"""The parameters of a policy in another process; no library of the network is wanted here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.inputs.space_file import read_space
from vla_accel_ros.options import check_options, option, options_of
from vla_accel_ros.remote.convention import GRIPPERS, SPACE, Convention

# The environment variable with the server's key: a parameter can be read by everybody.
KEY = 'VLA_ACCEL_REMOTE_KEY'
OPENPI, ACT = 'openpi', 'act'
PROTOCOLS = {'ws': OPENPI, 'wss': OPENPI, 'http': ACT, 'https': ACT}
# What the keys of an observation are called where no parameter says otherwise: of the views, of
# which the first ones are taken, and of the instruction.
VIEWS = {OPENPI: ('observation/image', 'observation/wrist_image'), ACT: ('image',)}
PROMPTS = {OPENPI: 'prompt', ACT: 'instruction'}
GRPC = (
    "LeRobot's policy server takes and gives pickled objects of its own classes: whoever can "
    'reach it can run any code in it, and its answers could run any code here. Serve the model in '
    "openpi's protocol instead (docs/remote.md)"
)


@dataclass(frozen=True)
class RemoteSettings:
    """Which policy server is asked, how, and what its numbers mean.

    Raises:
        ValueError: When the values do not go together.
    """

    remote: str = option(
        '',
        'Policy server to ask instead of a model of this process: ws://HOST:PORT for openpi and '
        '`vla-accel serve`, http://HOST:PORT/act for OpenVLA; empty for the checkpoint',
        when='configure',
    )
    remote_timeout: float = option(
        2.0,
        'How long an answer may take; then the connection is made anew',
        unit='s',
        range=(0.01, 20.0),
        when='configure',
    )
    remote_images: tuple[str, ...] = option(
        ('',),
        'Keys of the views in an observation, in the order of image_topics; empty for '
        "observation/image with openpi and image with OpenVLA's server",
        when='configure',
    )
    remote_image_size: int = option(
        224, 'Side of the views that are sent', unit='px', range=(8, 4096), when='configure'
    )
    remote_state: str = option(
        '',
        'Key of the proprioception, the values that proprio_names names; empty sends none',
        when='configure',
    )
    remote_prompt: str = option(
        '',
        "Key of the instruction; empty for prompt with openpi and instruction with OpenVLA's "
        'server',
        when='configure',
    )
    remote_actions: str = option('actions', 'Key of the actions in an answer', when='configure')
    remote_space: str = option(
        SPACE.name,
        'What our columns are: end_effector, or a .json file that says it; the same as '
        'action_space of scheduler and arm_command',
        when='configure',
    )
    remote_columns: tuple[str, ...] = option(
        SPACE.names,
        'What the columns of an answer are, in its order; - for one that is not used. With '
        'another remote_space this default means its columns',
        when='configure',
    )
    remote_metres: float = option(
        0.0,
        'Metres that a 1 in x, y and z means, or in what else is in m, 1 where the server gives '
        'metres; 0 where the server itself has to declare it',
        unit='m',
        range=(0.0, 10.0),
        when='configure',
    )
    remote_radians: float = option(
        0.0,
        'Radians that a 1 in roll, pitch and yaw means, or in a joint, 1 where the server gives '
        'radians; 0 where the server itself has to declare it',
        unit='rad',
        range=(0.0, 10.0),
        when='configure',
    )
    remote_gripper: str = option(
        '',
        'What the gripper of an answer means: 0 open and 1 closed is closed_is_one, -1 open and 1 '
        'closed is closed_is_plus; empty where the server itself has to declare it',
        choices=('', *GRIPPERS),
        when='configure',
    )

    def __post_init__(self) -> None:
        check_options(self)
        if not self.remote:
            return
        url = urlsplit(self.remote)
        if url.scheme in ('grpc', 'grpcs'):
            raise ValueError(f"remote is '{self.remote}': {GRPC}")
        if url.scheme not in PROTOCOLS or not url.hostname:
            raise ValueError(
                f"remote is '{self.remote}', expected ws://HOST:PORT (openpi, vla-accel serve) or "
                'http://HOST:PORT/act (OpenVLA)'
            )
        keys = [*self.views, self.prompt, *filter(None, [self.remote_state])]
        if '' in keys or len(set(keys)) < len(keys):
            raise ValueError(f'the keys of an observation are {keys}, expected each name once')
        # Refuses columns that are not ours.
        self.convention  # noqa: B018

    @classmethod
    def of(cls, values: Mapping[str, object]) -> RemoteSettings:
        """Read the settings among a node's parameters.

        Raises:
            ValueError: When they do not go together.
        """
        names = [each.name for each in fields(cls)]
        found: dict[str, Any] = {name: values[name] for name in names if name in values}
        settings = cls(**found)
        if settings.remote and settings.remote_state and not state_names(values):
            raise ValueError(
                f"remote_state is '{settings.remote_state}' and proprio_names is empty, expected "
                'the names of what the server wants, in its order'
            )
        return settings

    @property
    def protocol(self) -> str:
        """`openpi` or `act`."""
        return PROTOCOLS[urlsplit(self.remote).scheme]

    @property
    def views(self) -> tuple[str, ...]:
        """Keys of the views."""
        given = self.remote_images
        return VIEWS[self.protocol][:1] if given == ('',) else given

    @property
    def prompt(self) -> str:
        """Key of the instruction."""
        return self.remote_prompt or PROMPTS[self.protocol]

    @property
    def convention(self) -> Convention:
        """What the server's numbers mean, as far as the parameters say."""
        space = self.space
        columns = space.names if tuple(self.remote_columns) == SPACE.names else self.remote_columns
        return Convention(
            columns, self.remote_metres, self.remote_radians, self.remote_gripper, space
        )

    @property
    def space(self) -> ActionSpace:
        """What our columns are; read from its file.

        Raises:
            ValueError: When there is no such space.
        """
        return read_space(self.remote_space)


def state_names(values: Mapping[str, object]) -> list[str]:
    """Return the names of the proprioception that is sent, in order."""
    names = values.get('proprio_names', ())
    return [name for name in names if name] if isinstance(names, list | tuple) else []


OPTIONS = options_of(RemoteSettings)
