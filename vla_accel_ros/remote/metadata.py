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

"""What a server tells of itself when a client connects, beside what openpi's protocol wants.

It stands under one key of the metadata, so that other servers' metadata are never taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from vla_accel_ros.remote.convention import Convention, declared
from vla_accel_ros.remote.errors import RemoteMismatchError
from vla_accel_ros.remote.settings import RemoteSettings

OWN = 'vla_accel'
# Keys of an observation that say more than openpi's protocol does.
RESET, MOTION, DRAFT = 'vla_accel/reset', 'vla_accel/motion', 'vla_accel/draft'
TAIL, DELAY = 'vla_accel/tail', 'vla_accel/delay'


@dataclass(frozen=True)
class Declaration:
    """What `vla-accel serve` declares.

    Attributes:
        checkpoint: Name of the checkpoint.
        images: Keys of the views, in the checkpoint's order.
        image_size: Side that the views are brought to, pixels.
        state: Key of the proprioception; empty where none is wanted.
        state_size: Numbers of it.
        prompt: Key of the instruction.
        actions: What the columns of an answer mean; see `convention.Convention`.
        extras: Further keys that are understood.
    """

    checkpoint: str
    images: tuple[str, ...]
    image_size: int
    state: str = ''
    state_size: int = 0
    prompt: str = 'prompt'
    actions: dict[str, Any] = field(default_factory=declared)
    extras: tuple[str, ...] = (RESET, MOTION, DRAFT, TAIL, DELAY)

    def metadata(self) -> dict[str, Any]:
        """Give it as a message has it."""
        return {OWN: asdict(self)}


@dataclass(frozen=True)
class Agreed:
    """What a connection goes by.

    Attributes:
        convention: What the server's numbers mean.
        extras: Further keys of an observation that the server understands.
    """

    convention: Convention
    extras: frozenset[str]


def agree(settings: RemoteSettings, state_size: int, metadata: Mapping[str, Any]) -> Agreed:
    """Bring parameters and metadata together.

    Args:
        settings: The parameters.
        state_size: Numbers of proprioception that are sent.
        metadata: What the server told of itself.

    Raises:
        RemoteMismatchError: When they contradict each other, or nobody declares what the actions
            mean, or what the server tells is none of this.
    """
    try:
        return _agree(settings, state_size, metadata)
    except RemoteMismatchError:
        raise
    except (TypeError, ValueError) as error:
        # Arrays where there should be texts, for example.
        raise RemoteMismatchError(
            f'{settings.remote} declares what cannot be compared with the parameters: {error}'
        ) from None


def _agree(settings: RemoteSettings, state_size: int, metadata: Mapping[str, Any]) -> Agreed:
    told = metadata.get(OWN)
    told = told if isinstance(told, Mapping) else {}
    ours: dict[str, Any] = {
        'images': list(settings.views),
        'state': settings.layout.state_keys,
        'state_size': state_size,
        'prompt': settings.prompt,
        'image_size': settings.remote_image_size,
    }
    for key, value in ours.items():
        theirs = told.get(key, value)
        if theirs != value:
            raise RemoteMismatchError(
                f'{settings.remote} wants {key} {theirs!r}, the parameters say {value!r}: set '
                f'{_PARAMETERS[key]}'
            )
    actions = told.get('actions')
    convention = settings.convention.with_declared(actions if isinstance(actions, dict) else {})
    if convention.undeclared:
        raise RemoteMismatchError(
            f'{settings.remote} does not say what its actions mean: set '
            f'{", ".join(convention.undeclared)}'
        )
    extras = told.get('extras')
    known = extras if isinstance(extras, list | tuple) else ()
    return Agreed(convention, frozenset(each for each in known if isinstance(each, str)))


_PARAMETERS = {
    'images': 'remote_images',
    'state': 'remote_state',
    'state_size': 'proprio_names',
    'prompt': 'remote_prompt',
    'image_size': 'remote_image_size, and image_size of the camera node',
}
