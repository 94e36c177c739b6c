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

"""The arms of the inference node: they join and leave while it runs, each with a policy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from vla_accel_ros.acceleration import apply_method, method_of
from vla_accel_ros.deploy.wants import Wants
from vla_accel_ros.nodes.inference_arm import Arm
from vla_accel_ros.ros.names import check_namespace

if TYPE_CHECKING:
    from vla_accel_ros.models.policy import Policy

# Each has memory for keys and values, and a thread.
MOST_ARMS = 16


def check_arms(settings: Mapping[str, object]) -> None:
    """Check the names of arms.

    Raises:
        ValueError: When there are too many, two alike, or one is no namespace; where the policy is
            in another process also when there are several.
    """
    names = settings['arms']
    if not 0 < len(names) <= MOST_ARMS:
        raise ValueError(f'arms has {len(names)} names, expected 1 to {MOST_ARMS}')
    for name in names:
        check_namespace(name, 'a name in arms')
        if name != name.strip('/'):
            raise ValueError(f'a name in arms is {name!r}, expected no slash at its ends')
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'arms has {twice[0]!r} more than once, expected each name once')
    if settings['remote'] and len(names) > 1:
        raise ValueError(
            f'arms has {len(names)} names and remote is {settings["remote"]}: a policy server '
            'keeps one episode a connection, run an inference node for each arm'
        )


class Arms:
    """Those that are served, by name.

    Args:
        node: The inference node.
        policy: What was loaded; the first arm takes it, further ones a sibling.
        wants: What the policy wants; None where nobody says it.
        call: Runs a function in the worker's thread.

    Attributes:
        warm_ms: What a call of the warm-up took; None where it is not known.
    """

    def __init__(
        self,
        node,
        policy: Policy,
        wants: Wants | None,
        call: Callable[[Callable[[], object]], Future],
    ) -> None:
        self._node, self._wants, self._call = node, wants, call
        self._first, self._policies = policy, [policy]
        self._arms: dict[str, tuple[Arm, list]] = {}
        self.warm_ms: float | None = None

    def __iter__(self) -> Iterator[Arm]:
        return (arm for arm, _ in list(self._arms.values()))

    def __getitem__(self, name: str) -> Arm:
        return self._arms[name][0]

    def policies(self) -> list[Policy]:
        """Return all policies, those of arms that have left as well."""
        return list(self._policies)

    def serve(self, names: Collection[str]) -> None:
        """Let arms join and leave, so that those of the names are served."""
        for name in [each for each in self._arms if each not in names]:
            self._leave(name)
        for name in names:
            if name not in self._arms:
                self._join(name)
        if any(self._arms):
            self._node.health.figure('arms', ', '.join(self._arms))
        else:
            # One arm without a name: nothing to tell apart.
            self._node.health.forget('arms')

    def close(self) -> None:
        """Let all arms go."""
        for name in list(self._arms):
            self._leave(name)

    def _join(self, name: str) -> None:
        policy, prepared = self._free()
        with self._node.apart() as made:
            arm = Arm(self._node, name, policy, self._wants, self.warm_ms)
        self._arms[name] = arm, made
        prepared.add_done_callback(partial(_tell_failure, arm))
        if self._node.active:
            arm.begin()

    def _leave(self, name: str) -> None:
        arm, made = self._arms.pop(name)
        arm.leave()
        self._node.destroy(made)
        if name:
            self._node.health.forget(f'{name}.')

    def _free(self) -> tuple[Policy, Future]:
        """Give a policy that no arm has, and what prepares it, behind a call that still runs.

        A new policy shares the weights and the engine.
        """
        taken = [arm.policy for arm in self]
        for policy in self._policies:
            if policy not in taken:
                return policy, self._call(policy.renew)
        policy = self._first.sibling()
        policy.meet()
        apply_method(method_of(self._node.settings), policy)
        self._policies.append(policy)

        def get_memory() -> None:
            # So that the arm's first call is no slow one.
            policy.warm_up(1)
            policy.reset()

        return policy, self._call(get_memory)


def _tell_failure(arm: Arm, prepared: Future) -> None:
    """Name why an arm's policy could not be prepared. Its first call does it then."""
    if not prepared.cancelled() and (error := prepared.exception()) is not None:
        arm.failed(error)
