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

"""Whether the actions of a recording are those of the policy, or of the robot."""

from __future__ import annotations

from collections.abc import Iterable

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.replay import names
from vla_accel_ros.replay.bag.raw import BagError
from vla_accel_ros.replay.evidence import Evidence
from vla_accel_ros.replay.roles import NONE, OPTIONS


def described(space: ActionSpace) -> str:
    """Say what the columns of a space are: `joint_position a b, gripper c`."""
    return ', '.join(f'{g.kind.value} {" ".join(g.names)}' for g in space.groups)


def check_same(said: ActionSpace, space: ActionSpace, whose: str, other: str) -> None:
    """Refuse two spaces of other columns; what they are called does not matter.

    Args:
        said: What was said.
        space: What it must be.
        whose: Who said it.
        other: Whose the space is.

    Raises:
        ValueError: When names, kinds or units differ.
    """
    if (said.names, said.kinds, said.units) != (space.names, space.kinds, space.units):
        raise ValueError(
            f'{whose} says actions of {described(said)}; {other} has {described(space)}'
        )


def check_recorded(
    evidence: Evidence, topics: Iterable[str], wish: str, space: ActionSpace, whose: str
) -> None:
    """Refuse a recording of other actions.

    Args:
        evidence: Looks into the recording.
        topics: Those that it has.
        wish: As `--action-topic`.
        space: What the actions must be.
        whose: Whose that is.

    Raises:
        BagError: When the topic that was told, or else one that is called as this package calls
            its own, has columns of another space only.
    """
    if wish == NONE:
        return
    own = sorted(name for name in topics if names.is_(names.OWN_ACTION, name))
    for topic in [wish] if wish else own:
        found = evidence.other_columns(topic)
        if found:
            raise BagError(
                f'{topic} has actions of {" ".join(found)}, {whose} has {described(space)}: '
                f'choose another --{OPTIONS["action"]}, or none to go without'
            )
