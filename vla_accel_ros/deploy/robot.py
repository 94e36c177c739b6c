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

"""What a robot gives: what its nodes were told, and what they hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
import json
from typing import Any

from vla_accel_ros.deploy.wants import NUMBERS, WORDS, Wants
from vla_accel_ros.files.kinds import (
    FieldError,
    Maybe,
    Number,
    Part,
    Several,
    Whole,
    Word,
    check_fields,
    of,
)

RATE = Maybe(Number(0))
POINT = Several(Number(), 3, 3)


@dataclass(frozen=True)
class Stream:
    """How messages of a topic come.

    Attributes:
        rate_hz: Messages a second by their stamps; None before there are several.
        age_s: Age of the newest when it came; None before one came. Below 0 it is stamped ahead.
        unstamped: Messages without a stamp.
    """

    rate_hz: float | None = field(default=None, metadata=of(RATE))
    age_s: float | None = field(default=None, metadata=of(Maybe(Number())))
    unstamped: int = field(default=0, metadata=of(Whole(0, 2**31)))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class View:
    """A camera's topic.

    Attributes:
        topic: Its name, as `image_topics` has it.
        encoding: Of its images; `compressed` for compressed ones, empty before one came.
        width: Of its images, pixels; 0 before one came.
        height: Likewise.
        refused: Why its images cannot be read; empty where they can.
        stream: How they come.
        same: How many of the newest images are the same as the one before.
    """

    topic: str = field(metadata=of(Word()))
    encoding: str = field(default='', metadata=of(Word()))
    width: int = field(default=0, metadata=of(Whole(0, 2**31)))
    height: int = field(default=0, metadata=of(Whole(0, 2**31)))
    refused: str = field(default='', metadata=of(Word()))
    stream: Stream = field(default=Stream(), metadata=of(Part(Stream)))
    same: int = field(default=0, metadata=of(Whole(0, 2**62)))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class CameraFacts:
    """What the camera node knows.

    Attributes:
        views: Its topics, in order.
        image_size: Side of the square that each view becomes, pixels; 0 leaves it be.
        resize: How a view becomes square.
        centre_crop: Share of the area that it keeps.
        pair_tolerance: Largest difference of the stamps of one observation, s.
        max_age: Older frames are refused, s.
        max_future: Frames stamped further ahead are refused, s.
        skew_s: Least difference of stamps that the views' frames have; None if not known.
    """

    views: tuple[View, ...] = field(metadata=of(Several(Part(View))))
    image_size: int = field(metadata=of(Whole(0, 4096)))
    resize: str = field(metadata=of(Word()))
    centre_crop: float = field(metadata=of(Number(0, 1)))
    pair_tolerance: float = field(metadata=of(Number(0)))
    max_age: float = field(metadata=of(Number(0)))
    max_future: float = field(metadata=of(Number(0)))
    skew_s: float | None = field(default=None, metadata=of(Maybe(Number(0))))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class SchedulerFacts:
    """What the scheduler knows.

    Attributes:
        policy_step: Duration of one action that it is set to, s.
        frame_id: Frame that it puts actions in.
        answer_timeout: After it a request counts as lost, s.
        max_staleness: After it an answer is discarded, s.
        instruction: What to do, in words.
    """

    policy_step: float = field(metadata=of(Number(0)))
    frame_id: str = field(metadata=of(Word()))
    answer_timeout: float = field(metadata=of(Number(0)))
    max_staleness: float = field(metadata=of(Number(0)))
    instruction: str = field(default='', metadata=of(Word()))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class ModelFacts:
    """What the inference node knows beside what the checkpoint wants.

    Attributes:
        policy_step: Duration of one action that it is set to, s.
        frame_id: Frame that it puts actions in.
        call_ms: What a warm call takes; None before one was made.
        prompt_refused: Why the last instruction cannot be read; empty where it can.
    """

    policy_step: float = field(metadata=of(Number(0)))
    frame_id: str = field(metadata=of(Word()))
    call_ms: float | None = field(default=None, metadata=of(Maybe(Number(0))))
    prompt_refused: str = field(default='', metadata=of(Word()))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class StateFacts:
    """The proprioception that the robot gives.

    Attributes:
        chosen: Parameter `proprio_names`; empty takes the whole message.
        names: Names in the messages, in their order; empty before one came, or without names.
        values: Newest values of what the checkpoint is given, in its order; empty before.
        tolerance: Farthest that it may be from its observation, s.
        stream: How the messages come.
    """

    chosen: tuple[str, ...] = field(metadata=of(WORDS))
    tolerance: float = field(metadata=of(Number(0)))
    names: tuple[str, ...] = field(default=(), metadata=of(WORDS))
    values: tuple[float, ...] = field(default=(), metadata=of(NUMBERS))
    stream: Stream = field(default=Stream(), metadata=of(Part(Stream)))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Workspace:
    """The box that the tool is kept in.

    Attributes:
        low: Its lower corner, m.
        high: Its upper corner, m.
    """

    low: tuple[float, float, float] = field(metadata=of(POINT))
    high: tuple[float, float, float] = field(metadata=of(POINT))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class JointRange:
    """Where a joint may be.

    Attributes:
        name: The joint's.
        unit: `rad` or `m`.
        lower: Least position.
        upper: Largest.
    """

    name: str = field(metadata=of(Word()))
    unit: str = field(metadata=of(Word(('rad', 'm'))))
    lower: float = field(metadata=of(Number()))
    upper: float = field(metadata=of(Number()))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class ArmFacts:
    """What the way to the arm takes.

    Attributes:
        kinds: What each column of its actions is, a value of `ColumnKind`.
        names: Names of the columns.
        frame_id: Frame that it takes actions in.
        translation_step: Largest displacement of an action, m.
        rotation_step: Largest rotation of an action, rad.
        linear_speed: Largest speed, m/s.
        angular_speed: Largest angular speed, rad/s.
        min_step: Shortest policy step that it takes, s.
        max_step: Longest.
        listeners: Who listens to its commands; None if not known.
        closing: Share of the actions proposed while it is off that close a gripper; None before
            there are some.
        workspace: The box that the tool is kept in; None without one.
        joints: The ranges of the joints, where it takes joints and knows them.
    """

    kinds: tuple[str, ...] = field(metadata=of(WORDS))
    names: tuple[str, ...] = field(metadata=of(WORDS))
    frame_id: str = field(metadata=of(Word()))
    translation_step: float = field(metadata=of(Number(0)))
    rotation_step: float = field(metadata=of(Number(0)))
    linear_speed: float = field(metadata=of(Number(0)))
    angular_speed: float = field(metadata=of(Number(0)))
    min_step: float = field(metadata=of(Number(0)))
    max_step: float = field(metadata=of(Number(0)))
    listeners: int | None = field(default=None, metadata=of(Maybe(Whole(0, 1000000))))
    closing: float | None = field(default=None, metadata=of(Maybe(Number(0, 1))))
    workspace: Workspace | None = field(default=None, metadata=of(Maybe(Part(Workspace))))
    joints: tuple[JointRange, ...] = field(default=(), metadata=of(Several(Part(JointRange))))

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Facts:
    """All that is known of a robot and of the checkpoint that is to drive it.

    Attributes:
        wants: What the checkpoint wants; None while nobody says it, as all else.
        camera: What the camera node knows.
        scheduler: What the scheduler knows.
        model: What the inference node knows of itself.
        state: The proprioception.
        arm: What the way to the arm takes.
    """

    wants: Wants | None = field(default=None, metadata=of(Maybe(Part(Wants))))
    camera: CameraFacts | None = field(default=None, metadata=of(Maybe(Part(CameraFacts))))
    scheduler: SchedulerFacts | None = field(
        default=None, metadata=of(Maybe(Part(SchedulerFacts)))
    )
    model: ModelFacts | None = field(default=None, metadata=of(Maybe(Part(ModelFacts))))
    state: StateFacts | None = field(default=None, metadata=of(Maybe(Part(StateFacts))))
    arm: ArmFacts | None = field(default=None, metadata=of(Maybe(Part(ArmFacts))))

    def __post_init__(self) -> None:
        check_fields(self)


PARTS = tuple(each.name for each in fields(Facts))


def known_parts(facts: Facts) -> dict[str, Any]:
    """Give the parts that are known, by name."""
    parts = {name: getattr(facts, name) for name in PARTS}
    return {name: part for name, part in parts.items() if part is not None}


def write(facts: Facts) -> dict[str, str]:
    """Give the parts that are known as text, by name, as `read` takes them.

    Raises:
        ValueError: When a number is not finite.
    """
    return {
        name: json.dumps(asdict(part), allow_nan=False)
        for name, part in known_parts(facts).items()
    }


def read(texts: Mapping[str, str]) -> Facts:
    """Read what `write` gave; names of no part are left alone.

    Raises:
        ValueError: When a text is not what it may be; the message names the part and the place.
    """
    values = {}
    for name in PARTS:
        if name in texts:
            try:
                values[name] = json.loads(texts[name])
            except (ValueError, RecursionError) as error:
                raise FieldError(f'{name} is no JSON: {error}') from None
    return Facts(**values)
