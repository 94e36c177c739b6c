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

from dataclasses import dataclass, fields, replace

from vla_accel_ros.decoding import NAMES as DECODERS
from vla_accel_ros.decoding import RELAXED_BINS
from vla_accel_ros.models.heads.continuation import Continuation
from vla_accel_ros.models.heads.flow_config import MOST_STEPS
from vla_accel_ros.options import check_options, option, shared
from vla_accel_ros.pruning.methods import NAMES as METHODS
from vla_accel_ros.scheduling.config import SchedulerConfig

CONTINUATION = tuple(field.name for field in fields(Continuation))
# All that a flow is told, in the order of a method's fields.
FLOW = ('flow_steps', 'flow_bend', *CONTINUATION)


@dataclass(frozen=True)
class Method:
    """One way of running a policy, as plain data that travels between processes.

    Attributes:
        name: What it is called on the command line.
        summary: One line on what it does.
        scheduler: Settings of the scheduler and its pilot.
        pruning_parameters: The pruning method's parameters that are not at their defaults, name
            and value.

    Raises:
        ValueError: When a value is outside its range.
    """

    name: str
    summary: str
    scheduler: SchedulerConfig
    pruning: str = option(
        'none',
        'Which visual tokens are dropped: the method, from the next call on',
        choices=METHODS,
    )
    pruning_parameters: tuple[tuple[str, object], ...] = ()
    decoder: str = option(
        'jacobi',
        'How tokens are decoded: one a pass (greedy), several with the same result (verify, '
        'jacobi), or several with one that may be off by a little (relaxed)',
        choices=DECODERS,
    )
    relaxed_bins: int = option(
        RELAXED_BINS,
        'Largest move that the decoder `relaxed` takes for none; a bin is 1/255 of a range of '
        'the statistics',
        unit='bins',
        range=(0, 255),
    )
    draft: str = option(
        'given',
        'What the decoder verifies: the action that came with the request (of the predictor that '
        'scheduler has, ridge or hold), the last answer (previous), or none',
        choices=('given', 'previous', 'none'),
    )

    flow_steps: int = option(
        0,
        'Steps in which a flow is denoised; 0 for as many as the checkpoint was made for',
        range=(0, MOST_STEPS),
    )
    flow_bend: float = option(
        0.0,
        'Largest bend of the path of a flow (1 - the cosine between the velocities of two steps) '
        'at which the rest is taken in one step; 0 for never',
        range=(0.0, 2.0),
    )

    rtc: str = shared(Continuation, 'rtc')
    rtc_rows: int = shared(Continuation, 'rtc_rows')
    rtc_weight: float = shared(Continuation, 'rtc_weight')
    flow_warm: float = shared(Continuation, 'flow_warm')

    def __post_init__(self) -> None:
        check_options(self)

    def at_step(self, step_s: float) -> Method:
        """Return the same for a policy step of so many seconds."""
        return replace(self, scheduler=replace(self.scheduler, policy_step_s=step_s))
