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

"""The inference node on a policy in another process: connecting, and telling how that goes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from vla_accel_ros import extras
from vla_accel_ros.engines.wish import EngineWish
from vla_accel_ros.remote.links import LIBRARIES
from vla_accel_ros.remote.settings import RemoteSettings, state_names

if TYPE_CHECKING:
    from vla_accel_ros.remote.policy import RemotePolicy
    from vla_accel_ros.ros.diagnostics import Health

UNREACHABLE = 'remote_unreachable'
WITHOUT_EFFECT = 'settings_without_effect'
BLIND = 'images_ignored'
STANDING = (UNREACHABLE, WITHOUT_EFFECT, BLIND)
# By the name of what a call raises.
FAILURES = {
    'RemoteDownError': UNREACHABLE,
    'RemoteTimeoutError': 'remote_timeout',
    'RemoteRefusedError': 'remote_refused',
    'RemoteAnswerError': 'remote_wrong_answer',
    'RemoteMismatchError': 'remote_mismatch',
}


def make_policy(settings: Mapping[str, object]) -> RemotePolicy:
    """Make a policy of the node's parameters; nothing is connected yet.

    Raises:
        ValueError: When the parameters do not go together, or a library is missing.
    """
    remote = RemoteSettings.of(settings)
    wanted = LIBRARIES.get(remote.protocol, ())
    if lacking := [name for name in wanted if find_spec(name) is None]:
        raise ValueError(f'remote wants {", ".join(lacking)}: {extras.remedy("remote")}')
    from vla_accel_ros.remote.policy import RemotePolicy

    return RemotePolicy(remote, state_names(settings), unnorm_key=str(settings['unnorm_key']))


class RemoteSwitch:
    """Stands where `EngineSwitch` does; what runs the model is not this node's to choose.

    Args:
        policy: The policy.
        health: Gets the server as a figure, a fault while it cannot be reached, and as advice
            which parameters change nothing.
    """

    def __init__(self, policy: RemotePolicy, health: Health) -> None:
        self._policy, self._health = policy, health

    def start(self, settings: Mapping[str, object]) -> None:
        """Tell where the model is.

        Raises:
            ValueError: When an engine is required.
        """
        self.check(settings)
        self.tell()

    def settle(self) -> None:
        """Do nothing: nothing is built here."""

    def check(self, settings: Mapping[str, object]) -> None:
        """Refuse to promise an engine.

        Raises:
            ValueError: When one is required.
        """
        wish = EngineWish.of(settings)
        if wish.engine_required:
            raise ValueError(
                f'engine_required is true and remote is {self._policy.settings.remote}: what runs '
                'the model is chosen there'
            )

    def apply(self, changed: Mapping[str, object], settings: Mapping[str, object]) -> None:
        """Tell what the new values change, which is nothing at the server."""
        self.tell()

    def tell(self) -> None:
        """Tell where the model is, and whether it can be reached."""
        policy, health = self._policy, self._health
        health.figure('engine', f'remote {policy.settings.remote}')
        health.figure('remote_connections', policy.connection.links)
        health.advise(WITHOUT_EFFECT, policy.without_effect)
        if policy.trouble:
            health.fault(UNREACHABLE, policy.trouble, renew=True)
        else:
            health.clear(UNREACHABLE)

    def close(self) -> None:
        """Close the connection; nothing more is told of it."""
        self._policy.close()
        self._health.clear(*STANDING)


def try_out(policy: RemotePolicy, runs: int, health: Health) -> tuple[str, float | None]:
    """Ask a server for the first time; one that cannot be reached may come later.

    Args:
        policy: The policy.
        runs: How often it is asked after the self-test.
        health: Gets the figures, and advice where the images seem to be ignored.

    Returns:
        How it went, in words, and what the last answer took, ms; None where there was none.

    Raises:
        RemoteError: When the server answers, and not as it must.
        NotFiniteError: When an action is NaN or infinite.
    """
    from vla_accel_ros.remote.errors import RemoteDownError

    url = policy.settings.remote
    try:
        difference = policy.self_test()
        took_ms = policy.warm_up(runs)
    except RemoteDownError as error:
        return f'{url} cannot be reached yet: {error}', None
    health.figure('self_test_difference', difference)
    health.figure('warm_up_ms', took_ms)
    health.advise(
        BLIND, '' if difference else f'{url} answers a black and a white image with one action'
    )
    words = f'{url}: {policy.cameras} views of {policy.image_size} px, {took_ms:.1f} ms a call'
    return words, took_ms
