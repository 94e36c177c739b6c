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

"""What a checkpoint wants of a robot: its actions, its views, its state."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.files.kinds import (
    Flag,
    Maybe,
    Number,
    Part,
    Several,
    Whole,
    Word,
    check_fields,
    of,
)

NUMBERS = Several(Number())
WORDS = Several(Word())


@dataclass(frozen=True)
class ActionsWanted:
    """The actions that a checkpoint answers.

    Attributes:
        kinds: What each column is, a value of `ColumnKind`; empty where it is not known.
        names: Names of the columns.
        step_m: Longest displacement over a step that they can ask for, m.
        step_rad: Largest rotation, or turn of a joint, rad.
        position_rad: Joint position that is farthest from zero, rad.
        extremes: Whether the range is from the smallest to the largest value, not that of the 1st
            and 99th percentile.
        gripper_low: Smallest value of the grippers as stored; None where there is none.
        gripper_high: Largest value, likewise.
        closed: Share of the training in which the grippers were closed; None if not known.
        step_s: Duration of one action in training, s; None where nothing says it.
        step_source: What says so.
        frame: Frame of the actions; empty where nothing says it.
        rows: Actions in an answer.
    """

    kinds: tuple[str, ...] = field(metadata=of(WORDS))
    names: tuple[str, ...] = field(metadata=of(WORDS))
    step_m: float = field(default=0.0, metadata=of(Number(0)))
    step_rad: float = field(default=0.0, metadata=of(Number(0)))
    position_rad: float = field(default=0.0, metadata=of(Number(0)))
    extremes: bool = field(default=False, metadata=of(Flag()))
    gripper_low: float | None = field(default=None, metadata=of(Maybe(Number())))
    gripper_high: float | None = field(default=None, metadata=of(Maybe(Number())))
    closed: float | None = field(default=None, metadata=of(Maybe(Number())))
    step_s: float | None = field(default=None, metadata=of(Maybe(Number(0.0001, 100))))
    step_source: str = field(default='', metadata=of(Word()))
    frame: str = field(default='', metadata=of(Word()))
    rows: int = field(default=1, metadata=of(Whole(1, 10000)))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class ViewsWanted:
    """The camera views that a checkpoint wants.

    Attributes:
        count: How many.
        names: Their names in order, as in `agent`, `wrist`; empty where nothing says them.
        size: Side of the square image, pixels.
        resize: How a view becomes square.
        centre_crop: Share of the area that the checkpoint itself keeps; None without a crop.
    """

    count: int = field(metadata=of(Whole(0, 64)))
    size: int = field(metadata=of(Whole(1, 4096)))
    resize: str = field(metadata=of(Word()))
    names: tuple[str, ...] = field(default=(), metadata=of(WORDS))
    centre_crop: float | None = field(default=None, metadata=of(Maybe(Number(0, 1))))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class StateWanted:
    """The proprioception that a checkpoint wants.

    Attributes:
        width: How many numbers; 0 for none.
        names: Their names in order; empty where nothing says them.
        low: 1st percentile of each number in training; empty where it is not known.
        high: 99th percentile.
        mean: Mean in training.
        std: Standard deviation.
    """

    width: int = field(default=0, metadata=of(Whole(0, 4096)))
    names: tuple[str, ...] = field(default=(), metadata=of(WORDS))
    low: tuple[float, ...] = field(default=(), metadata=of(NUMBERS))
    high: tuple[float, ...] = field(default=(), metadata=of(NUMBERS))
    mean: tuple[float, ...] = field(default=(), metadata=of(NUMBERS))
    std: tuple[float, ...] = field(default=(), metadata=of(NUMBERS))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Wants:
    """All that a checkpoint wants.

    Attributes:
        checkpoint: Its name or folder.
        key: Data set whose statistics hold.
        keys: How many data sets it has statistics of.
        actions: What it answers.
        views: What it looks at.
        state: What it is told of the robot.
        bins: Action bins; 0 where actions are no tokens.
        vocabulary: The token behind the last bin.
        tokens: Tokens that its tokeniser knows; 0 where it is not known.
        elsewhere: Whether another process has it: of its statistics and pictures nothing is known.
    """

    checkpoint: str = field(metadata=of(Word()))
    key: str = field(metadata=of(Word()))
    keys: int = field(metadata=of(Whole(0, 100000)))
    actions: ActionsWanted = field(metadata=of(Part(ActionsWanted)))
    views: ViewsWanted = field(metadata=of(Part(ViewsWanted)))
    state: StateWanted = field(metadata=of(Part(StateWanted)))
    bins: int = field(default=0, metadata=of(Whole(0, 2**16)))
    vocabulary: int = field(default=0, metadata=of(Whole(0, 2**21)))
    tokens: int = field(default=0, metadata=of(Whole(0, 2**21)))
    elsewhere: bool = field(default=False, metadata=of(Flag()))

    def __post_init__(self) -> None:
        check_fields(self)
