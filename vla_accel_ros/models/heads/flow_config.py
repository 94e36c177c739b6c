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

"""What is known of a head that denoises actions before there is a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vla_accel_ros.files.kinds import Flag, Number, Whole, Word, check_fields, of
from vla_accel_ros.layers.flow_names import ADDED, TIMES
from vla_accel_ros.layers.shapes import require
from vla_accel_ros.models.heads.config import HeadConfig

MOST_STEPS = 1000
# What a data set's gripper says.
OPEN_IS_ONE, CLOSED_IS_ONE, SIGNED = GRIPPERS = ('open_is_one', 'closed_is_one', 'signed')


def check_relative(relative: Sequence[int], proprio: int) -> None:
    """Check that columns of actions that are differences have a number of state each.

    Raises:
        ValueError: When one has none.
    """
    require(
        not relative or max(relative) < proprio,
        f'relative is {list(relative)}, expected columns of the {proprio} numbers of the state',
    )


@dataclass(frozen=True)
class FlowConfig(HeadConfig):
    """A chunk of actions, denoised by a flow in steps of Euler's method.

    Attributes:
        chunk: Actions in an answer.
        before: Rows of the prefix in front of the visual tokens; see `HeadConfig`.
        causal: Whether a row of the prefix sees only itself and those before it; else all.
        numbers: Columns of an action in the network; those beyond the robot's are cut off.
        steps: Steps that the checkpoint was made for.
        times: How the times of steps are computed, one of `flow_names.TIMES`.
        prefix_rows: Rows that training put in front of an answer at most, without noise, as those
            of the chunk under way (training-time RTC, arXiv 2512.05964); 0 where it did not.
        shortest_period: Of the embedding of times.
        longest_period: Likewise.
    """

    chunk: int = field(default=50, metadata=of(Whole(1, 1024)))
    before: int = field(default=0, metadata=of(Whole(0, 1)))
    causal: bool = field(default=False, metadata=of(Flag()))
    numbers: int = field(default=32, metadata=of(Whole(1, 256)))
    steps: int = field(default=10, metadata=of(Whole(1, MOST_STEPS)))
    times: str = field(default=ADDED, metadata=of(Word(TIMES)))
    prefix_rows: int = field(default=0, metadata=of(Whole(0, 1023)))
    shortest_period: float = field(default=0.004, metadata=of(Number(1e-6, 1e3)))
    longest_period: float = field(default=4.0, metadata=of(Number(1e-6, 1e6)))

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.prefix_rows < self.chunk,
            f'prefix_rows is {self.prefix_rows}, expected less than the chunk of {self.chunk}',
        )

    @property
    def leading(self) -> int:
        """Rows in front of the actions that know neither time nor noise."""
        return 0

    def answer(self, dims: int) -> str:
        """Say in words what an answer is; see `HeadConfig.answer`."""
        return f'{self.chunk} actions in {self.steps} steps'

    def positions(self, dims: int) -> int:
        """Give the rows of the network; see `HeadConfig.positions`."""
        return self.leading + self.chunk
