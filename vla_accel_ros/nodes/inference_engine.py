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

"""The engine of the inference node: chosen at configure, changed live, told on /diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING

from vla_accel_ros.acceleration import apply_method, method_of
from vla_accel_ros.engines.watched_store import never
from vla_accel_ros.engines.wish import EngineWish

if TYPE_CHECKING:
    from vla_accel_ros.models.in_use import InUse
    from vla_accel_ros.models.policy import Policy
    from vla_accel_ros.ros.diagnostics import Health

FALLBACK = 'engine_fallback'


class EngineSwitch:
    """Chooses what runs a policy, in the worker's thread.

    Args:
        policy: The policy.
        others: Gives all policies that run on the same engine.
        call: Runs a function in the worker's thread.
        progress: Told what is being built: the share done, and in words.
        health: Gets the engine as a figure, and as advice why it is not the one asked for.
        warn: Logs a warning.
    """

    def __init__(
        self,
        policy: Policy,
        others: Callable[[], Iterable[Policy]],
        call: Callable[[Callable[[], object]], Future],
        progress: Callable[[float, str], None],
        health: Health,
        warn: Callable[[str], object],
    ) -> None:
        self._policy, self._others = policy, others
        self._call, self._progress = call, progress
        self._health, self._warn = health, warn
        self._next: InUse | None = None
        self._may_build = True

    def start(self, settings: Mapping[str, object]) -> None:
        """Have the policy run on what the parameters ask for; what is missing is built.

        Raises:
            ValueError: When the engine is required and cannot run.
        """
        wish = EngineWish.of(settings)
        self._policy.run_on(self._choose(wish, settings, lambda: self._may_build))
        self.tell()

    def settle(self) -> None:
        """Build nothing from now on: an answer must not wait for it.

        What is missing runs on eager; where the engine is required there is no other way.
        """
        self._may_build = self._policy.in_use.wish.engine_required

    def check(self, settings: Mapping[str, object]) -> None:
        """Refuse a change that cannot be made at once; what it leads to is kept for `apply`.

        Raises:
            ValueError: When the engine cannot run here, is not built or gives other answers.
        """
        wish = EngineWish.of(settings)
        self._next = None
        if wish == self._policy.in_use.wish:
            return
        found = self._choose(wish, settings, never)
        if found.reason and wish.engine != 'auto' and not found.as_asked:
            stays = self._policy.in_use.name
            raise ValueError(f'engine {found.asked} cannot run: {found.reason}; {stays} stays')
        self._next = found

    def apply(self, changed: Mapping[str, object], settings: Mapping[str, object]) -> None:
        """Run on what the last `check` found, from the next inference on."""
        found, self._next = self._next, None
        if 'threads' in changed:
            # An engine takes its threads when it is made.
            found = self._choose(EngineWish.of(settings), settings, never)
        if found is not None:
            for policy in self._others():
                policy.run_on(found)
            self.tell()

    def tell(self) -> None:
        """Tell what runs, and why where it is not what was asked for."""
        # An arm whose engine gave NaN has left it.
        found = [policy.in_use for policy in (self._policy, *self._others())]
        in_use = next((each for each in found if each.trouble), found[0])
        self._health.figure('engine', str(in_use))
        self._health.figure('engine_hint', in_use.hint)
        if self._health.advise(FALLBACK, in_use.trouble):
            self._warn(f'engine: {in_use}')

    def close(self) -> None:
        """Tell no more of an engine that is gone with its policy."""
        self._health.clear(FALLBACK)

    def _choose(
        self, wish: EngineWish, settings: Mapping[str, object], may_build: Callable[[], bool]
    ) -> InUse:
        from vla_accel_ros.models.engine_choice import Means, choose

        method = method_of(settings)
        means = Means(
            may_build=may_build,
            built=lambda built: self._progress(1.0, str(built)),
            prepare=lambda policy: apply_method(method, policy),
        )
        return self._call(lambda: choose(self._policy, wish, means)).result()
