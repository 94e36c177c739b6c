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

"""One way of running a policy: how it is scheduled, how it prunes, how it decodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from vla_accel_ros.scheduling.config import SchedulerConfig


@dataclass(frozen=True)
class Method:
    """One way of running a policy, as plain data that travels between processes.

    Attributes:
        name: What it is called on the command line.
        summary: One line on what it does.
        scheduler: Settings of the scheduler.
        pruning: Pruning method, one of `pruning.registry.METHODS`.
        pruning_parameters: Its parameters that are not at their defaults, name and value.
        decoder: One of `decoding.registry.DECODERS`.
        relaxed_bins: Largest move that the decoder `relaxed` takes for none.
        draft: What is verified, one of `models.drafts.SOURCES`.
        replan_on_fine: Ask afresh in mid-chunk when the arm slows down to fine work.
        fine_linear: Below this speed, and not rising, work is fine, m/s.
        fine_angular: Below this angular speed, too, rad/s.

    Raises:
        ValueError: When a bound on the speeds is no number of at least 0.
    """

    name: str
    summary: str
    scheduler: SchedulerConfig
    pruning: str = 'none'
    pruning_parameters: tuple[tuple[str, object], ...] = ()
    decoder: str = 'greedy'
    relaxed_bins: int = 2
    draft: str = 'given'
    replan_on_fine: bool = False
    fine_linear: float = 0.08
    fine_angular: float = 0.4

    def __post_init__(self) -> None:
        for name in ('fine_linear', 'fine_angular'):
            if not 0 <= getattr(self, name) < inf:
                raise ValueError(f'{name} is {getattr(self, name)}, expected at least 0')

    def at_step(self, step_s: float) -> Method:
        """Return the same for a policy step of so many seconds."""
        return replace(self, scheduler=replace(self.scheduler, policy_step_s=step_s))

    def apply(self, policy) -> None:
        """Have a `models.policy.Policy` prune and decode so, from its next call on.

        Raises:
            ValueError: When a setting does not fit the model.
        """
        policy.set_pruning(self.pruning, **dict(self.pruning_parameters))
        policy.set_decoder(self.decoder, self.relaxed_bins, self.draft)
