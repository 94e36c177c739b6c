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

"""Have a policy run as a method says: the one way, for a robot's node and for every command."""

from __future__ import annotations

from typing import Any, Protocol

from vla_accel_ros.acceleration.method import CONTINUATION, Method


class Adjustable(Protocol):
    """What is asked of a policy; `models.policy.Policy` is one."""

    def set_pruning(self, method: str, **parameters: Any) -> None:
        """Choose how visual tokens are pruned."""

    def set_decoder(self, name: str, relaxed_bins: int = ..., draft: str = ...) -> None:
        """Choose how tokens are decoded."""

    def set_flow(self, steps: int = ..., bend: float = ...) -> None:
        """Choose the steps of a flow."""

    def set_continuation(self, **settings: Any) -> None:
        """Choose what a new chunk takes from the old one."""

    def sibling(self) -> Adjustable:
        """Return another over the same weights, with settings of its own."""


def apply_method(method: Method, policy: Adjustable) -> None:
    """Have a policy prune and decode by a method, from its next call on.

    What the method says about scheduling is for `scheduling.pilot.Pilot`.

    Raises:
        ValueError: When a setting does not fit the model.
    """
    policy.set_pruning(method.pruning, **dict(method.pruning_parameters))
    policy.set_decoder(method.decoder, method.relaxed_bins, method.draft)
    policy.set_flow(method.flow_steps, method.flow_bend)
    policy.set_continuation(**{name: getattr(method, name) for name in CONTINUATION})


def check_method(method: Method, policy: Adjustable) -> None:
    """Refuse a method that does not fit a policy's model; the policy stays as it is.

    Raises:
        ValueError: When a setting does not fit; begins with the method's name where it has one.
    """
    try:
        apply_method(method, policy.sibling())
    except ValueError as error:
        if not method.name:
            raise
        raise ValueError(f"method '{method.name}': {error}") from None
