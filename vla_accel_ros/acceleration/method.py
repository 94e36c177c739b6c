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

from vla_accel_ros.scheduling.config import SchedulerConfig


@dataclass(frozen=True)
class Method:
    """One way of running a policy, as plain data that travels between processes.

    Attributes:
        name: What it is called on the command line.
        summary: One line on what it does.
        scheduler: Settings of the scheduler and its pilot.
        pruning: Pruning method, one of `pruning.registry.METHODS`.
        pruning_parameters: Its parameters that are not at their defaults, name and value.
        decoder: One of `decoding.registry.DECODERS`.
        relaxed_bins: Largest move that the decoder `relaxed` takes for none.
        draft: What is verified, one of `models.drafts.SOURCES`.
    """

    name: str
    summary: str
    scheduler: SchedulerConfig
    pruning: str = 'none'
    pruning_parameters: tuple[tuple[str, object], ...] = ()
    decoder: str = 'greedy'
    relaxed_bins: int = 2
    draft: str = 'given'

    def at_step(self, step_s: float) -> Method:
        """Return the same for a policy step of so many seconds."""
        return replace(self, scheduler=replace(self.scheduler, policy_step_s=step_s))
