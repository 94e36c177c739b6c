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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.inputs.space_file import read_space
from vla_accel_ros.options import check_options, option, options_of
from vla_accel_ros.remote.convention import GRIPPERS, LARGEST_UNIT, MOST_ROWS, SPACE, Convention
from vla_accel_ros.remote.layouts import KEYS, LAYOUTS, Layout, layout_of

# The environment variable with the server's key: a parameter can be read by everybody.
KEY = 'VLA_ACCEL_REMOTE_KEY'
OPENPI, ACT, LEROBOT = 'openpi', 'act', 'lerobot'
PROTOCOLS = {'ws': OPENPI, 'wss': OPENPI, 'http': ACT, 'https': ACT, 'grpc': LEROBOT}
# What the keys of an observation are called where no parameter says otherwise: of the view, and
# of the instruction. LeRobot's cameras have no usual names.
VIEWS = {OPENPI: ('observation/image',), ACT: ('image',), LEROBOT: ()}
PROMPTS = {OPENPI: 'prompt', ACT: 'instruction', LEROBOT: 'task'}
# LeRobot's server finds the state by the names of its numbers.
LEROBOT_STATE = 'observation.state'
SERVERS = (
    'ws://HOST:PORT (openpi, vla-accel serve), http://HOST:PORT/act (OpenVLA) or grpc://HOST:PORT '
    "(LeRobot's policy server)"
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
        '`vla-accel serve`, http://HOST:PORT/act for OpenVLA, grpc://HOST:PORT for LeRobot; empty '
        'for the checkpoint',
        when='configure',
    )
    remote_timeout: float = option(
        2.0,
        'How long an answer may take; then the connection is made anew',
        unit='s',
        range=(0.01, 20.0),
        when='configure',
    )
    remote_layout: str = option(
        KEYS,
        'How an observation is laid out: keys is what remote_images and remote_state name; '
        "libero, droid and aloha are those of openpi's servers for these robots",
        choices=(KEYS, *LAYOUTS),
        when='configure',
    )
    remote_images: tuple[str, ...] = option(
        ('',),
        'Keys of the views in an observation, in the order of image_topics; empty for those of '
        "remote_layout, observation/image with openpi and image with OpenVLA's server",
        when='configure',
    )
    remote_image_size: int = option(
        224, 'Side of the views that are sent', unit='px', range=(8, 4096), when='configure'
    )
    remote_state: str = option(
        '',
        'Key of the proprioception, the values that proprio_names names; empty sends none, but '
        'with a remote_layout and with LeRobot, which have keys of their own',
        when='configure',
    )
    remote_state_scale: tuple[float, ...] = option(
        (1.0,),
        'What a value of the proprioception is multiplied by before it goes out, one number for '
        'all or one for each: 57.29578 where the server wants degrees',
        range=(-1e6, 1e6),
        when='configure',
    )
    remote_state_offset: tuple[float, ...] = option(
        (0.0,),
        'What is added to it then, one number for all or one for each',
        range=(-1e6, 1e6),
        when='configure',
    )
    remote_prompt: str = option(
        '',
        "Key of the instruction; empty for prompt with openpi, instruction with OpenVLA's server "
        'and task with LeRobot',
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
        range=(0.0, LARGEST_UNIT),
        when='configure',
    )
    remote_radians: float = option(
        0.0,
        'Radians that a 1 in roll, pitch and yaw means, or in a joint, 1 where the server gives '
        'radians; 0 where the server itself has to declare it',
        unit='rad',
        range=(0.0, LARGEST_UNIT),
        when='configure',
    )
    remote_gripper: str = option(
        '',
        'What the gripper of an answer means: 0 open and 1 closed is closed_is_one, -1 open and 1 '
        'closed is closed_is_plus; empty where the server itself has to declare it',
        choices=('', *GRIPPERS),
        when='configure',
    )

    remote_policy: str = option(
        '',
        "What LeRobot's server loads: a name of the hub, or a folder of its machine",
        when='configure',
    )
    remote_policy_type: str = option(
        '', "LeRobot's name of that policy's type, such as act, smolvla or pi0", when='configure'
    )
    remote_policy_device: str = option(
        'cuda', "Where LeRobot's server runs it: cuda, cpu or mps", when='configure'
    )
    remote_policy_rows: int = option(
        50,
        "Rows of a chunk that LeRobot's server gives, at most",
        range=(1, MOST_ROWS),
        when='configure',
    )

    def __post_init__(self) -> None:
        check_options(self)
        if not self.remote:
            return
        try:
            url = urlsplit(self.remote)
            fits = url.scheme in PROTOCOLS and bool(url.hostname) and url.port != 0
        except ValueError:
            # An address or a port that is none.
            fits = False
        if not fits:
            raise ValueError(f"remote is '{self.remote}', expected {SERVERS}")
        self._check_protocol()
        keys = [*self.views, self.prompt, *(key for key, _ in self.layout.states)]
        if '' in keys or len(set(keys)) < len(keys):
            raise ValueError(f'the keys of an observation are {keys}, expected each name once')
        # Refuses columns that are not ours.
        columns, space = self.convention.columns, self.space
        kinds = dict(zip(space.names, space.kinds, strict=True))
        self.layout.check(self.views, [kinds[name] for name in columns if name in kinds])

    def _check_protocol(self) -> None:
        fixed = self.protocol == LEROBOT or self.remote_layout != KEYS
        whose = 'LeRobot' if self.protocol == LEROBOT else f'remote_layout {self.remote_layout}'
        if self.remote_layout != KEYS and self.protocol != OPENPI:
            raise ValueError(
                f'remote_layout is {self.remote_layout} and remote is {self.remote}, expected '
                'ws://HOST:PORT: the layout is of an openpi server'
            )
        if fixed and self.remote_state:
            raise ValueError(
                f"remote_state is '{self.remote_state}', expected none: {whose} has its own keys"
            )
        if self.protocol != LEROBOT:
            return
        if self.remote_prompt not in ('', PROMPTS[LEROBOT]):
            raise ValueError(
                f"remote_prompt is '{self.remote_prompt}', expected none: LeRobot's server reads "
                f"'{PROMPTS[LEROBOT]}'"
            )
        given = {
            'remote_policy': self.remote_policy,
            'remote_policy_type': self.remote_policy_type,
        }
        if lacking := [name for name, value in given.items() if not value]:
            raise ValueError(
                f"{', '.join(lacking)}: expected what {self.remote} shall load, for LeRobot's "
                'server has no policy of its own'
            )
        if not self.views:
            raise ValueError(
                "remote_images is empty, expected the names of the policy's cameras: front for "
                'observation.images.front'
            )

    @classmethod
    def of(cls, values: Mapping[str, object]) -> RemoteSettings:
        """Read the settings among a node's parameters.

        Raises:
            ValueError: When they do not go together.
        """
        own = [each.name for each in fields(cls)]
        found: dict[str, Any] = {name: values[name] for name in own if name in values}
        settings = cls(**found)
        if settings.remote:
            settings.check_state(state_names(values))
        return settings

    def check_state(self, names: Sequence[str]) -> None:
        """Refuse a state that the server does not know.

        Args:
            names: Names of its numbers, in order.

        Raises:
            ValueError: When it has none, another size, or with LeRobot the name of a view.
        """
        self.layout.check_state(names)
        for name in ('remote_state_scale', 'remote_state_offset'):
            if self.layout.states and len(getattr(self, name)) not in (1, len(names)):
                raise ValueError(
                    f'{name} has {len(getattr(self, name))} numbers, expected 1 or {len(names)}, '
                    'as many as proprio_names'
                )
        taken = {*self.views, self.prompt}
        if self.protocol == LEROBOT and (both := [name for name in names if name in taken]):
            raise ValueError(
                f"proprio_names has {', '.join(both)}, which is a view's name or the task's: "
                "LeRobot's server tells its values apart by their names"
            )

    @property
    def protocol(self) -> str:
        """`openpi`, `act` or `lerobot`."""
        return PROTOCOLS[urlsplit(self.remote).scheme]

    @property
    def views(self) -> tuple[str, ...]:
        """Keys of the views."""
        given = self.remote_images
        return (self.layout.usual or VIEWS[self.protocol]) if given == ('',) else given

    @property
    def layout(self) -> Layout:
        """How an observation is laid out."""
        own = LEROBOT_STATE if self.protocol == LEROBOT else self.remote_state
        return layout_of(self.remote_layout, own)

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
