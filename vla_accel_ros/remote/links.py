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

"""What opens a connection, by the protocol; each library is loaded where it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import os

from vla_accel_ros.remote.connection import Link
from vla_accel_ros.remote.settings import KEY, LEROBOT, OPENPI, RemoteSettings

# Libraries of the extra `remote` that a protocol wants, by their names in Python.
LIBRARIES = {OPENPI: ('msgpack', 'websockets'), LEROBOT: ('grpc',)}


def opener(
    settings: RemoteSettings, state_names: Sequence[str]
) -> tuple[Callable[[], Link], Callable[[], None]]:
    """Give what opens a link, and what is to be called when there shall be none any more.

    Args:
        settings: Which server.
        state_names: Names of the proprioception that is sent.
    """
    if settings.protocol == LEROBOT:
        from vla_accel_ros.remote import lerobot_wire
        from vla_accel_ros.remote.lerobot import LeRobotServer

        known = lerobot_wire.features(settings.views, settings.remote_image_size, state_names)
        load = lerobot_wire.setup(
            settings.remote_policy,
            settings.remote_policy_type,
            settings.remote_policy_rows,
            settings.remote_policy_device,
            known,
        )
        server = LeRobotServer(
            settings.remote, settings.remote_timeout, load, settings.views, state_names
        )
        return server.open, server.shut

    def open_link() -> Link:
        url, timeout_s = settings.remote, settings.remote_timeout
        # A key that was read from a file ends with the file's newline.
        key = os.environ.get(KEY, '').strip()
        if settings.protocol == OPENPI:
            from vla_accel_ros.remote.openpi import OpenPiLink

            return OpenPiLink(url, timeout_s, key)
        from vla_accel_ros.remote.act import ActLink

        return ActLink(url, timeout_s, key)

    return open_link, _nothing


def _nothing() -> None:
    """Leave nothing behind: the link itself is all that there is."""
