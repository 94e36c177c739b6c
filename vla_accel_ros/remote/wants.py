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

"""What a policy server wants of the robot, as far as the parameters say it."""

from __future__ import annotations

from collections.abc import Mapping

from vla_accel_ros.deploy.wants import ActionsWanted, StateWanted, ViewsWanted, Wants
from vla_accel_ros.remote.settings import RemoteSettings, state_names


def wants_of_server(values: Mapping[str, object]) -> Wants:
    """Say what a server wants; of its statistics, rate and pictures' names nothing is known.

    Args:
        values: The inference node's parameters, by name.

    Raises:
        ValueError: When they do not go together.
    """
    settings = RemoteSettings.of(values)
    space, names = settings.space, state_names(values) if settings.layout.states else []
    return Wants(
        checkpoint=settings.remote,
        key='',
        keys=0,
        actions=ActionsWanted(tuple(kind.value for kind in space.kinds), space.names),
        views=ViewsWanted(len(settings.views), settings.remote_image_size, ''),
        state=StateWanted(len(names), tuple(names)),
        elsewhere=True,
    )
